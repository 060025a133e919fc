"""One page of a recording, or of two of one patient: report.html, which needs nothing but a browser."""
