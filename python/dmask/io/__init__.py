"""Files: the container of model and track files, videos, tables."""
