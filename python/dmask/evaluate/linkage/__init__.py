"""Whether masks and tables can be linked to the people on them, by attackers who have dmask themselves."""
