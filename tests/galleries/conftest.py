"""What tests of broken-off galleries share: a count of steps, and galleries that nothing happened to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from gallery_runs import LARGE, Steps, contents, made

from lucidtorch.base.machine import cores
from lucidtorch.galleries import work
from lucidtorch.models.model import Model


@pytest.fixture(autouse=True)
def two_cores_at_least(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two workers of one thread are no crowd, wherever the tests run."""
    there = cores()
    monkeypatch.setattr(work, "cores", lambda: max(2, there))


@pytest.fixture
def steps(demo: Model) -> Iterator[Steps]:
    counter = Steps(demo)
    yield counter
    counter.handle.remove()


@pytest.fixture(scope="session")
def unbroken(demo: Model, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What `made(demo, folder)` gives when nothing happens to it."""
    folder = tmp_path_factory.mktemp("unbroken") / "new"
    made(demo, folder)
    return contents(folder)


@pytest.fixture(scope="session")
def unbroken_large(demo: Model, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("unbroken") / "new"
    made(demo, folder, LARGE)
    return contents(folder)
