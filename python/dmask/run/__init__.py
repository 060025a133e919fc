"""From a recording or a live source to its results."""
