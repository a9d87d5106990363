"""A recipe at work: planned, resolved, rendered, put together, and given back."""
