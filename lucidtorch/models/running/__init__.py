"""Running a network held still, and taking out what its layers give."""
