from __future__ import annotations

import hashlib
import os
import pickle
from pathlib import Path

import pytest
import safetensors.torch
import torch
from torch import nn

from lucidtorch.base.errors import WeightsError
from lucidtorch.models.sources.weights import file_sha256, load_weights, read_weights


def network() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Conv2d(2, 2, 1))


def same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("suffix", [".pth", ".pt", ".safetensors"])
def test_a_state_dict_is_read_as_it_was_written(tmp_path: Path, suffix: str) -> None:
    path, state = tmp_path / f"net{suffix}", network().state_dict()
    if suffix == ".safetensors":
        safetensors.torch.save_file(state, path)
    else:
        torch.save(state, path)
    assert same(read_weights(path), state)


@pytest.mark.parametrize("wrapper", ["state_dict", "model_state_dict", "model"])
def test_wrappers_and_the_prefix_of_data_parallel_are_taken_off(tmp_path: Path, wrapper: str) -> None:
    net = network()
    torch.save({"epoch": 3, wrapper: nn.DataParallel(net).state_dict()}, tmp_path / "net.pth")
    assert same(read_weights(tmp_path / "net.pth"), net.state_dict())


def test_half_precision_becomes_the_networks_own(tmp_path: Path) -> None:
    target, half = network(), {name: value.half() for name, value in network().state_dict().items()}
    safetensors.torch.save_file(half, tmp_path / "net.safetensors")
    load_weights(target, read_weights(tmp_path / "net.safetensors"), name="net", origin="file")
    assert target[0].weight.dtype == torch.float32
    assert torch.equal(target[0].weight, half["0.weight"].float())


def test_old_files_without_the_counter_of_batch_norm_load() -> None:
    state = {name: value for name, value in network().state_dict().items() if "num_batches" not in name}
    load_weights(network(), state, name="net", origin="file")


class Bomb:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, ("exploded",)


def test_code_in_a_pickle_is_refused_and_does_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"weight": torch.zeros(1), "more": Bomb()}, tmp_path / "bomb.pth")
    (tmp_path / "plain.pt").write_bytes(pickle.dumps(Bomb(), protocol=2))
    for name in ("bomb.pth", "plain.pt"):
        with pytest.raises(WeightsError, match=r"mkdir.*run code"):
            read_weights(tmp_path / name)
    assert not (tmp_path / "exploded").exists()


def test_a_whole_pickled_module_is_refused_with_what_to_write(tmp_path: Path) -> None:
    torch.save(network(), tmp_path / "module.pth")
    with pytest.raises(WeightsError, match=r"Sequential.*state_dict\(\)"):
        read_weights(tmp_path / "module.pth")


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize("content", [b"", b"not weights at all", b"PK\x03\x04 no zip"])
def test_broken_files_are_refused(tmp_path: Path, suffix: str, content: bytes) -> None:
    path = tmp_path / f"net{suffix}"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=r"broken or no weights file"):
        read_weights(path)


def test_files_cut_short_are_refused(tmp_path: Path) -> None:
    torch.save(network().state_dict(), tmp_path / "net.pth")
    safetensors.torch.save_file(network().state_dict(), tmp_path / "net.safetensors")
    for path in (tmp_path / "net.pth", tmp_path / "net.safetensors"):
        path.write_bytes(path.read_bytes()[:-100])
        with pytest.raises(WeightsError, match="broken"):
            read_weights(path)


@pytest.mark.parametrize("held", [[torch.zeros(1)], {"a": 3}, {}, {"state_dict": {"a": "b"}}, torch.zeros(2)])
def test_what_is_no_state_dict_is_refused(tmp_path: Path, held: object) -> None:
    torch.save(held, tmp_path / "net.pth")
    with pytest.raises(WeightsError, match="no state dict"):
        read_weights(tmp_path / "net.pth")


def test_missing_files_and_other_endings_are_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.pth").mkdir()
    for name, message in (
        ("none.pth", "no weights file"),
        ("net.h5", "none of 'default'"),
        ("folder.pth", "no weights"),
    ):
        with pytest.raises(WeightsError, match=message):
            read_weights(tmp_path / name)


def test_another_architecture_is_named_and_nothing_is_loaded() -> None:
    target = network()
    before = {name: value.clone() for name, value in target.state_dict().items()}
    state = network().state_dict()
    state["0.weight"] = torch.zeros(5, 1, 3, 3)
    state["9.weight"] = state.pop("2.bias")
    with pytest.raises(WeightsError) as caught:
        load_weights(target, state, name="net", origin="a file")
    for part in ("a file", "net", "missing in the file: 2.bias", "unknown to the network: 9.weight", "[5, 1, 3, 3]"):
        assert part in str(caught.value)
    assert same(target.state_dict(), before)


def test_only_the_first_differing_names_are_shown() -> None:
    state = {f"layer{number}.weight": torch.zeros(1) for number in range(9)}
    with pytest.raises(WeightsError, match=r"layer0.weight, layer1.weight, layer2.weight and 6 more"):
        load_weights(network(), state, name="net", origin="a file")


def test_the_digest_is_that_of_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * (1 << 20) + b"y")
    assert file_sha256(tmp_path / "file") == hashlib.sha256(b"x" * (1 << 20) + b"y").hexdigest()
