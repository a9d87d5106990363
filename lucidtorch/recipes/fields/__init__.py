"""What a recipe's fields take, and what is said of those that do not fit."""
