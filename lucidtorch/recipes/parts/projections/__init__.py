"""Signals of units, sent down to the pixels."""
