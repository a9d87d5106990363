"""All filters of a layer."""
