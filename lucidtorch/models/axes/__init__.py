"""Following every operation of a forward pass: what each axis of a tensor is, and what its numbers see."""
