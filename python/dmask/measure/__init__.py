"""What is measured over a whole recording, from frames.csv."""
