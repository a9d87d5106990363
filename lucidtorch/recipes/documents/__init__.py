"""Recipes as files: read, merged, checked, and described as a JSON Schema."""
