"""What a network expects of its input, and how it gets it."""
