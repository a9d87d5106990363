"""Examples of every registered objective, one module for each of the package's."""
