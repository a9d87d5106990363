"""Feature maps of given pictures, laid out and counted."""
