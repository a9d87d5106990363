"""A notebook that is truly run, in a kernel of its own: what it keeps, and what it shows on the way."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed; the dev extra has it")
nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed; the dev extra has it")
pytest.importorskip("ipykernel", reason="ipykernel is not installed; the dev extra has it")

pytestmark = pytest.mark.slow

CELLS = (
    "import lucidtorch as lt\nfrom lucidtorch.rendering import progress\nprogress.PAUSE = 0.0",
    "print('before')\nlt.render('demo', 'conv1_1:[0, 1]', param=lt.param.image(32, batch=2), steps=6)",
    "lt.recipes.layer_sheet('demo', layers='conv1_1', units='0-2', size=24, steps=3, batch=2)",
    "lt.render('demo', 'conv1_1:0', param=lt.param.image(16), steps=2, progress=False)",
    "progress.PAUSE = 60.0\nlt.render('demo', 'conv1_1:0', param=lt.param.image(16), steps=2)",
    "lt.render('demo', 'conv9_9:0')",
)
RENDER, RUN, SILENT, SHORT, WRONG = range(1, 6)


class Watching(nbclient.NotebookClient):  # type: ignore[misc]
    """Runs a notebook and keeps what each cell showed, also what was replaced later."""

    def process_message(self, msg: dict[str, Any], cell: Any, cell_index: int) -> Any:
        if msg["msg_type"] in ("display_data", "update_display_data"):
            cell.metadata.setdefault("seen", []).append(msg["content"]["data"])
        return super().process_message(msg, cell, cell_index)


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    code = [nbformat.v4.new_code_cell(source) for source in CELLS]
    code[WRONG].metadata["tags"] = ["raises-exception"]
    notebook = nbformat.v4.new_notebook(cells=code)
    folder = tmp_path_factory.mktemp("notebook")
    Watching(notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(folder)}}).execute()
    nbformat.validate(notebook)
    return list(notebook.cells)


def result(cell: Any) -> dict[str, str]:
    """What the last line of a cell gave."""
    (found,) = [one for one in cell.outputs if one.output_type == "execute_result"]
    return dict(found.data)


def left(cell: Any) -> list[Any]:
    """What a cell holds beside its result, but for outputs that hold nothing."""
    return [
        one
        for one in cell.outputs
        if one.output_type != "execute_result" and any(one.get("data", {"text": one.get("text", "an error")}).values())
    ]


def pictures(text: str) -> list[tuple[int, int]]:
    found = re.findall(r"data:image/png;base64,([^\"]+)", text)
    return [Image.open(io.BytesIO(base64.b64decode(one))).size for one in found]


def test_a_rendering_shows_itself(cells: list[Any]) -> None:
    found = result(cells[RENDER])
    assert set(found) == {"image/png", "text/html", "text/plain"}
    assert found["text/plain"] == "<Rendering of channel('conv1_1', [0, 1]): 2 x 3 x 32 x 32, 6 steps>"
    assert pictures(found["text/html"]) == [(32, 32)] * 2
    with Image.open(io.BytesIO(base64.b64decode(found["image/png"]))) as picture:
        assert picture.size == (66, 32)


def test_a_run_shows_itself(cells: list[Any]) -> None:
    found = result(cells[RUN])
    assert set(found) == {"image/png", "text/html", "text/plain"}
    assert pictures(found["text/html"])[1:] == [(24, 24)] * 3
    assert not Path(found["text/plain"].rsplit(" in ", 1)[1].rstrip(">")).exists()  # the kernel has ended


@pytest.mark.parametrize("cell", [RENDER, RUN])
def test_progress_is_shown_with_pictures_and_leaves_nothing(cells: list[Any], cell: int) -> None:
    seen = [one["text/html"] for one in cells[cell].metadata["seen"]]
    assert len(seen) > 1
    assert "<progress" in seen[0]
    assert pictures(seen[0])
    assert seen[-1] == ""
    assert [one.get("name") for one in left(cells[cell])] == (["stdout"] if cell == RENDER else [])


@pytest.mark.parametrize("cell", [SILENT, SHORT])
def test_nothing_is_shown_where_nobody_asks_or_there_is_nothing_to_wait_for(cells: list[Any], cell: int) -> None:
    assert "seen" not in cells[cell].metadata
    assert [one.output_type for one in cells[cell].outputs] == ["execute_result"]


def test_nothing_is_said_on_the_stream_of_errors(cells: list[Any]) -> None:
    assert [one.text for cell in cells for one in cell.outputs if one.get("name") == "stderr"] == []


def test_a_wrong_layer_is_an_error_without_an_output(cells: list[Any]) -> None:
    assert [one.ename for one in cells[WRONG].outputs] == ["UnknownLayerError"]
