"""Eyes rendered for training, with their landmarks."""
