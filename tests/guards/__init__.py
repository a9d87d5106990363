"""The rules that the whole project keeps, each as a function that says where it is broken."""
