"""What the larger kinds of recipes are made of."""
