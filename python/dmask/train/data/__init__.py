"""Labelled and rendered pictures as arrays, and what training does to them."""
