"""Trains the networks that ship inside lucidtorch; no part of the installed package.

From the root of the repository: ``python -m training NAME``.
"""
