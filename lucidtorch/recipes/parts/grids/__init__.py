"""Activation grids."""
