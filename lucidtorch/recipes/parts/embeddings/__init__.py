"""Images laid out by what a layer makes of them."""
