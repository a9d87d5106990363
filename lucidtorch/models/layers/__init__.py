"""The layers of a network: what fires in a dry run, and how it is written."""
