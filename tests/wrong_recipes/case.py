"""A wrong recipe, and what is to be said of it."""

from __future__ import annotations

from typing import NamedTuple

MARK = "§"  # stands before the fault, and is taken out
RENDER = "recipe: render\nmodel: demo\nweights: random\ndevice: cpu\nsize: 24\nsteps: 2\nobjective: conv2_1:3\n"
SHEET = "recipe: layer_sheet\nmodel: demo\nweights: random\ndevice: cpu\nsize: 24\nsteps: 2\n"


class Case(NamedTuple):
    """A wrong recipe.

    Args:
        text: The YAML, with a mark before the fault where the message is to name its line and column.
        words: What the message must hold, a regular expression.
        key: The field that the message must name; none where empty.
        schema: Whether the JSON Schema must refuse it too: a name, a type or a range is wrong.
        settings: What is given with ``--set``; the last one is the fault where the text has no mark.
    """

    text: str
    words: str
    key: str = ""
    schema: bool = False
    settings: tuple[str, ...] = ()

    @property
    def yaml(self) -> str:
        """The text without the mark."""
        return self.text.replace(MARK, "", 1)

    @property
    def place(self) -> str:
        """What the message must begin with."""
        before, mark, _ = self.text.partition(MARK)
        if mark:
            return f"r.yaml:{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}: "
        return f"--set {self.settings[-1].partition('=')[0]}: " if self.settings else "r.yaml: "


FILES = {
    "base.yaml": SHEET.encode() + b"layers: conv2_1\nunits: 99\n",
    "ring-1.yaml": b"extends: ring-2.yaml\n",
    "ring-2.yaml": b"extends: ring-1.yaml\n",
    "broken.yaml": b"steps: [1, 2\n",
    "corrupt.safetensors": bytes(range(256)) * 8,
    "text.txt": b"a text",
    "sub/deeper.yaml": b"extends: ../base.yaml\n",
}
