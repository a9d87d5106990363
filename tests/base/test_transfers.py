"""Sending and fetching change no number."""

from __future__ import annotations

import pytest
import torch

from lucidtorch.base.machine import fetched, sent

DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here"))]


@pytest.mark.parametrize("device", DEVICES)
def test_the_numbers_stay_what_they_are(device: str) -> None:
    numbers = torch.arange(12.0).reshape(3, 4).t()
    there = sent(numbers, torch.device(device))
    assert there.device.type == device
    doubled = fetched(there * 2)
    there.sum().item()  # waits
    assert doubled.device.type == "cpu"
    assert torch.equal(doubled, numbers * 2)
