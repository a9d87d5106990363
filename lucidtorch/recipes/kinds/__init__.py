"""The kinds of recipes, one module each."""
