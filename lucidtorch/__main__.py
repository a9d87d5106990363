"""`python -m lucidtorch` is the command `lucidtorch`."""

from lucidtorch.cli.main import main

if __name__ == "__main__":
    main()
