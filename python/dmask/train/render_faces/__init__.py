"""Faces rendered for training, with their landmarks."""
