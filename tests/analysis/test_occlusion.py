from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from lucidtorch.analysis import occlusion_maps, patch_places
from lucidtorch.base.errors import BadInputError

FILL = (0.25, 0.5, 0.75)


def scores(images: Tensor) -> Tensor:
    """Two scores of each image on its own: a weighted sum, and one that is not linear."""
    weights = torch.linspace(-1, 1, images[0].numel()).reshape(images.shape[1:])
    one = (images * weights).flatten(1).sum(1)
    return torch.stack([one, one.square() - images.flatten(1).amax(1)], 1)


def picture(height: int, width: int) -> Tensor:
    return torch.rand(3, height, width, generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize(("patch", "stride", "batch"), [(3, 2, 4), (4, 4, 100), (2, 1, 1), (7, 5, 3)])
def test_a_map_is_the_mean_drop_of_the_patches_over_each_pixel(patch: int, stride: int, batch: int) -> None:
    image = picture(7, 10)
    found = occlusion_maps(scores, image, patch=patch, stride=stride, fill=FILL, batch=batch)
    clean = scores(image[None])[0]
    rows, columns = ([*range(0, side - patch, stride), side - patch] for side in (7, 10))
    over: dict[tuple[int, int], list[Tensor]] = {}
    for row in rows:
        for column in columns:
            hidden = image.clone()
            for channel, value in enumerate(FILL):
                hidden[channel, row : row + patch, column : column + patch] = value
            drop = clean - scores(hidden[None])[0]
            for y in range(row, row + patch):
                for x in range(column, column + patch):
                    over.setdefault((y, x), []).append(drop)
    assert set(over) == {(y, x) for y in range(7) for x in range(10)}
    wanted = torch.stack([torch.stack([torch.stack(over[y, x]).mean(0) for x in range(10)]) for y in range(7)])
    torch.testing.assert_close(found.maps, wanted.permute(2, 0, 1).double(), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(found.clean, clean.double(), atol=1e-5, rtol=1e-5)
    assert found.places == tuple((row, column) for row in rows for column in columns)
    assert found.drops.shape == (2, len(found.places))


@given(height=st.integers(1, 30), width=st.integers(1, 30), patch=st.integers(1, 30), stride=st.integers(1, 30))
def test_every_pixel_is_covered_and_no_patch_leaves_the_picture(
    height: int, width: int, patch: int, stride: int
) -> None:
    patch = min(patch, height, width)
    stride = min(stride, patch)
    places = patch_places((height, width), patch, stride)
    covered = torch.zeros(height, width, dtype=torch.int64)
    for row, column in places:
        assert 0 <= row <= height - patch
        assert 0 <= column <= width - patch
        covered[row : row + patch, column : column + patch] += 1
    assert int(covered.min()) >= 1
    assert len(set(places)) == len(places)


def test_what_nothing_depends_on_has_no_heat_at_all() -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = torch.nn.Linear(3 * 4 * 4, 2)

    def corner(images: Tensor) -> Tensor:
        found: Tensor = network(images[:, :, :4, :4].flatten(1)).detach()
        return found

    found = occlusion_maps(corner, picture(12, 12), patch=4, stride=4, fill=FILL, batch=4)
    assert bool(found.maps[:, :4, :4].all())
    assert float(found.maps[:, 4:].abs().max()) < 1e-6  # a batch of another size may round otherwise
    assert float(found.maps[:, :, 4:].abs().max()) < 1e-6


def test_every_batch_is_of_one_size_and_small_pictures_make_small_ones() -> None:
    seen: list[int] = []

    def counted(images: Tensor) -> Tensor:
        seen.append(len(images))
        return scores(images)

    occlusion_maps(counted, picture(6, 6), patch=2, stride=2, fill=FILL, batch=4)  # 9 places
    assert seen == [4, 4, 4, 4]
    seen.clear()
    occlusion_maps(counted, picture(6, 6), patch=3, stride=3, fill=FILL, batch=100)
    assert seen == [4, 4]


def test_the_picture_itself_is_left_as_it_is() -> None:
    image = picture(6, 6)
    before = image.clone()
    occlusion_maps(scores, image, patch=3, stride=1, fill=FILL)
    assert torch.equal(image, before)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"patch": 7}, "does not fit into a side of 6"),
        ({"stride": 4}, "at most 3"),
        ({"patch": 0}, "from 1"),
        ({"batch": 1.5}, "a whole number from 1, but 1.5"),
        ({"fill": (0.5,)}, "each of 3 channels"),
        ({"image": torch.zeros(1, 3, 6, 6)}, r"\[C, H, W\] .* but a tensor \[1, 3, 6, 6\]"),
    ],
    ids=str,
)
def test_what_does_not_fit_is_refused(words: dict[str, Any], said: str) -> None:
    image = words.pop("image", picture(6, 8))
    with pytest.raises(BadInputError, match=said):
        occlusion_maps(scores, image, **{"patch": 3, "stride": 3, "fill": FILL, **words})
