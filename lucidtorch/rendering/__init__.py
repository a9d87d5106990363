"""Rendering: the one optimization loop, and what it returns."""

from lucidtorch.rendering.entry import render
from lucidtorch.rendering.loop import Step, optimize
from lucidtorch.rendering.result import Rendering

__all__ = ["Rendering", "Step", "optimize", "render"]
