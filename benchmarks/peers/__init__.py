"""Other tools for the same job, each made to run as its users run it."""
