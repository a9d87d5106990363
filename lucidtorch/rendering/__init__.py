"""Rendering: the one optimization loop, and what it returns."""

from lucidtorch.rendering.entry import optimize, render
from lucidtorch.rendering.loop import Step
from lucidtorch.rendering.result import Rendering
from lucidtorch.rendering.settings import Engine

__all__ = ["Engine", "Rendering", "Step", "optimize", "render"]
