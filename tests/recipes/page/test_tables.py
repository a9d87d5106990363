from __future__ import annotations

from pathlib import Path

import pytest
import torch

from lucidtorch.base.images import encode_png
from lucidtorch.models.model import Model
from lucidtorch.recipes.fields.checking import checked
from lucidtorch.recipes.kinds.class_preference import class_preference
from lucidtorch.recipes.page.publishing import publish
from lucidtorch.recipes.story import Figure, Section, Story, Table


def page(folder: Path, demo: Model, rows: int, *, whole: bool) -> str:
    """The page of a table of so many rows, each with a picture of 300 x 40."""
    (folder / "strip.png").write_bytes(encode_png(torch.rand(3, 40, 300)))
    cells = tuple((f"row {number}", Figure("strip.png", "", "a strip", whole=whole)) for number in range(rows))
    story = Story("T", (), (Section("S", table=Table(("name", "strip"), cells)),), "strip.png")
    recipe = checked(
        class_preference.kind, {"recipe": "class_preference", "model": "demo", "data": {"drawings": "test"}}
    )
    return publish(story, recipe, demo, folder).read_text(encoding="utf-8")


@pytest.mark.parametrize(("rows", "folded"), [(64, False), (65, True)])
def test_a_long_table_is_folded_away(demo: Model, tmp_path: Path, rows: int, folded: bool) -> None:
    text = page(tmp_path, demo, rows, whole=False)
    before, table, _ = text.partition('<table class="numbers">')
    assert table
    assert ("<summary>All 65 rows</summary>" in before) is folded
    assert before.count("<details") - before.count("</details>") == int(folded)
    assert text.count("<details") == text.count("</details>")
    assert text.count("<tr>") == rows + 1


def test_a_whole_figure_in_a_table_has_its_own_size(demo: Model, tmp_path: Path) -> None:
    assert '<td class="wide"><a class="frame zoom" href="strip.png">' in page(tmp_path, demo, 1, whole=True)
    assert 'class="wide"' not in page(tmp_path, demo, 1, whole=False)
