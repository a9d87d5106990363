"""The networks that ship inside the package, trained by the package itself from images it draws."""
