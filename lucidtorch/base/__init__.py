"""What every other part builds on: errors, checks, records, seeds, sizes, files, images, notation and the registry."""
