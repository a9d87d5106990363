"""What all long work has in common: the folder that it fills, and the processes that do it."""
