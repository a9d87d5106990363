"""Where the channels and the places of the image stand in a tensor, and what of the image each number sees."""
