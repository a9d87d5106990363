"""Looking through data: one pass over a set of images that keeps what they do to every unit of a network."""
