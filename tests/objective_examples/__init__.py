"""Examples of every registered objective, by family."""
