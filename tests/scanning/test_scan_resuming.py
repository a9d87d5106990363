from __future__ import annotations

import hashlib
import json
import time
import zipfile

import numpy as np
import pytest
import torch
from small_networks import as_model, mixing

from lucidtorch.base.errors import BadInputError
from lucidtorch.datasets import load_scan, scan
from lucidtorch.scanning import state

COUNT, CHUNK = 23, 5
SETTINGS = {"chunk": CHUNK, "batch": 3, "samples": 50, "bins": 16, "ranked": 10}


class Killed(BaseException):
    """What stops a run wherever it is."""


def images(seed=0, count=COUNT):
    return list(torch.rand(count, 3, 16, 16, generator=torch.Generator().manual_seed(seed)))


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def model():
    return as_model(mixing())


@pytest.fixture(scope="module")
def unbroken(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("unbroken")
    scan(model, images(), folder, **SETTINGS)
    return files(folder)


def dying_report(moment):
    calls = []

    def report(done, total):
        calls.append(done)
        if len(calls) == moment:
            raise Killed

    return report


def savez_of_numpy_1(stream, **arrays):
    """What `np.savez` did before numpy 2.2: every keyword is stored as an array."""
    with zipfile.ZipFile(stream, "w") as tables:
        for name, array in arrays.items():
            with tables.open(f"{name}.npy", "w") as place:
                np.lib.format.write_array(place, np.asanyarray(array))


def test_a_scan_holds_its_own_arrays_alone_whatever_numpy_writes_it(model, tmp_path, monkeypatch):
    monkeypatch.setattr(np, "savez", savez_of_numpy_1)
    scan(model, images(), tmp_path, **SETTINGS)
    (tables,) = tmp_path.glob("tables-*.npz")
    with np.load(tables) as found:
        assert all(name.partition("/")[0].isdigit() for name in found.files)  # of which layer it speaks
    assert load_scan(tmp_path).done == COUNT


def test_a_scan_that_holds_an_allow_pickle_is_read(model, unbroken, tmp_path):
    for name, data in unbroken.items():
        (tmp_path / name).write_bytes(data)
    (tables,) = tmp_path.glob("tables-*.npz")
    with zipfile.ZipFile(tables, "a") as old, old.open("allow_pickle.npy", "w") as place:
        np.lib.format.write_array(place, np.asanyarray(False))  # by 0.1.0 with numpy before 2.2
    summary = json.loads((tmp_path / "scan.json").read_text())
    summary["tables"]["sha256"] = hashlib.sha256(tables.read_bytes()).hexdigest()
    (tmp_path / "scan.json").write_text(json.dumps(summary))
    assert load_scan(tmp_path).done == COUNT


@pytest.mark.parametrize("moment", range(1, 8))
def test_a_run_killed_at_any_report_ends_with_the_same_bytes(model, unbroken, tmp_path, moment):
    with pytest.raises(Killed):
        scan(model, images(), tmp_path, report=dying_report(moment), **SETTINGS)
    with pytest.raises(Killed):
        scan(model, images(), tmp_path, report=dying_report(1), **SETTINGS)
    begun = load_scan(tmp_path).done if (tmp_path / "scan.json").exists() else 0
    assert begun % CHUNK == 0
    seen = []
    scan(model, images(), tmp_path, report=lambda done, total: seen.append(done), **SETTINGS)
    assert begun < seen[0] <= seen[-1] == COUNT
    assert files(tmp_path) == unbroken


@pytest.mark.parametrize("place", ["write_file", "remove_tables"])
@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("moment", [1, 2, 5])
def test_a_run_killed_while_it_writes_ends_with_the_same_bytes(
    model, unbroken, tmp_path, monkeypatch, place, late, moment
):
    write, calls = getattr(state, place), []

    def dying(*args):
        calls.append(args)
        if late or len(calls) < moment:
            write(*args)
        if len(calls) == moment:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(state, place, dying)
        with pytest.raises(Killed):
            scan(model, images(), tmp_path, **SETTINGS)
    scan(model, images(), tmp_path, **SETTINGS)
    assert files(tmp_path) == unbroken


def test_a_finished_scan_is_only_read(model, unbroken, tmp_path):
    scan(model, images(), tmp_path, **SETTINGS)
    time.sleep(0.01)
    again = scan(model, images(), tmp_path, report=lambda done, total: pytest.fail("worked"), **SETTINGS)
    assert again.done == COUNT
    assert files(tmp_path) == unbroken


@pytest.mark.parametrize(
    "change",
    [
        {"data": images(1)},
        {"data": images(count=22)},
        {"layers": ["0"]},
        {"model": as_model(mixing(seed=1))},
        {"bins": 8},
        {"seed": 3},
        {"data": [(image, 0) for image in images()]},
    ],
    ids=lambda change: next(iter(change)),
)
def test_the_scan_of_something_else_is_moved_aside_as_it_was(model, unbroken, tmp_path, change):
    folder = tmp_path / "scan"
    scan(model, images(), folder, **SETTINGS)
    found = scan(folder=folder, **({"model": model, "data": images(), **SETTINGS} | change))
    assert found.moved.parent == tmp_path
    assert found.moved.name.startswith("scan-")
    assert files(found.moved) == unbroken
    assert files(folder)["scan.json"] != unbroken["scan.json"]


def test_damaged_scans_and_none_are_refused(model, tmp_path):
    with pytest.raises(BadInputError, match="holds no scan"):
        load_scan(tmp_path)
    scan(model, images(), tmp_path, **SETTINGS)
    tables = next(tmp_path.glob("*.npz"))
    whole, summary = tables.read_bytes(), (tmp_path / "scan.json").read_text()
    tables.write_bytes(whole[:-1])
    with pytest.raises(BadInputError, match="damaged"):
        load_scan(tmp_path)
    tables.unlink()
    with pytest.raises(BadInputError, match="damaged"):
        scan(model, images(), tmp_path, **SETTINGS)
    tables.write_bytes(whole)
    (tmp_path / "scan.json").write_text(summary[:50])
    with pytest.raises(BadInputError, match="damaged"):
        load_scan(tmp_path)
    with pytest.raises(BadInputError, match="which is of no scan"):
        scan(model, images(), tmp_path, **SETTINGS)
    (tmp_path / "scan.json").write_text(json.dumps(json.loads(summary) | {"format": 99}))
    with pytest.raises(BadInputError, match="another version"):
        load_scan(tmp_path)
