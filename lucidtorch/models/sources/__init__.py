"""Where networks come from: names, files and modules, with their weights."""
