from __future__ import annotations

import torch
from torch import Tensor

from lucidtorch.analysis.overlays import toned


def lightness(colours: Tensor) -> Tensor:
    """L* of CIELAB of sRGB colours `[3, N]`."""
    linear = torch.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    luminance = torch.tensor([0.2126, 0.7152, 0.0722]) @ linear
    return 116 * torch.where(luminance > 0.008856, luminance ** (1 / 3), luminance * 7.787 + 16 / 116) - 16


def test_heat_gets_lighter_evenly_from_near_black_to_near_white() -> None:
    found = lightness(toned(torch.linspace(0, 1, 101), signed=False, tones="heat"))
    assert float(found.diff().min()) > 0.1
    assert float(found.diff().max()) < 2 * float(found.diff().mean())
    assert float(found[0]) < 10
    assert float(found[-1]) > 90


def test_signed_heat_is_darkest_at_zero_orange_above_and_blue_below() -> None:
    found = toned(torch.tensor([-1.0, -0.5, 0.0, 0.5, 1.0]), signed=True, tones="heat")
    light = lightness(found)
    assert light.argmin() == 2
    torch.testing.assert_close(light[:2].flip(0), light[3:], atol=6, rtol=0)
    assert float(found[0, 4]) > float(found[2, 4])
    assert float(found[2, 0]) > float(found[0, 0])


def test_grey_is_the_number_itself_and_signed_grey_has_zero_in_the_middle() -> None:
    values = torch.tensor([0.0, 0.25, 1.0])
    torch.testing.assert_close(toned(values, signed=False, tones="grey"), values[None])
    torch.testing.assert_close(toned(-values, signed=True, tones="grey"), torch.tensor([[0.5, 0.375, 0.0]]))
