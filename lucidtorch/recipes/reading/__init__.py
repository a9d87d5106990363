"""YAML as recipes read and write it, with the place of every value."""
