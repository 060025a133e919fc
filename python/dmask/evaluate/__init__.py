"""Accuracy against known truth."""
