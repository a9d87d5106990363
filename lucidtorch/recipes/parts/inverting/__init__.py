"""Pictures made again from what a layer says of them."""
