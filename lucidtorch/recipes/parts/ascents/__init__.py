"""Plain and regularized ascent, measured."""
