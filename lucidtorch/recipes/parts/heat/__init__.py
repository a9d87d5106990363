"""Heat maps: of what, from which layer, and how they are shown."""
