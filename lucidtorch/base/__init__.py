"""What every other part stands on: errors, seeds, sizes, images, notation and the record a picture carries."""
