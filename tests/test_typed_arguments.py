"""Arguments of texts: each of the wrong type or beyond its bounds is refused where it stands, in one line."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lucidtorch import constraints, objectives, param, transforms
from lucidtorch.base.errors import ExpressionError

OBJECTIVES = [
    "L1(constant='x')",
    "alignment('a', decay_ratio='q')",
    "alignment('a', decay_ratio=0)",
    "caricature('a', [[[0.5]]], cossim_pow='1')",
    "direction('a', [1, 2], cossim_pow='1')",
    "direction('a', 'x')",
    "whitened_direction('a', [1], 'x')",
    "facet('a', 'b', 'x')",
    "facet('a', 'b', [1], weights='x')",
    "style('a', [[[0.5]]], distance='L3')",
    "style('a', [[[0.5]]], decay=1)",
    "tv_beta(beta=0.5)",
    "Lp(p=0.5)",
    "contrast_bound(bound=-1)",
    "interpolate(a:1, a:2, 1)",
    "after(-1, a:1)",
    "ramp(0, 'x', a:1)",
    "ramp(0, 1, a:1, first='x')",
    "a:1.on(-1)",
    "of(3, a:1)",
]
PARAMS = [
    "image(16, batch=0)",
    "image(16, sd=0)",
    "image(16, decay='x')",
    "image(16, init='x')",
    "image(16, hold={1: 'x'})",
    "image(16, spatial=cppn(activation='x'))",
    "image(16, spatial=maco(magnitude='x'))",
    "image(16) + shared([1, 3, 0, 4])",
    "image(16) + shared([1, 3, 4, 4], offset=[0, 0, -1, 0])",
    "aligned(16, 0)",
    "animation(16, 1)",
]
CONSTRAINTS = ["decay(2)", "blur('x')", "blur(1, every=0)", "l2_ball(-1)", "linf_ball(1, 'x')", "clip_norm(101)"]
TRANSFORMS = ["pad('x')", "perspective(1)", "crop_or_pad_to(4, 4, odd_cut='x')", "strong(16, odd_cut='x')"]
ALL = [
    *((objectives.parse, text) for text in OBJECTIVES),
    *((param.parse, text) for text in PARAMS),
    *((constraints.parse, text) for text in CONSTRAINTS),
    *((transforms.parse, text) for text in TRANSFORMS),
]


@pytest.mark.parametrize(("parse", "text"), ALL, ids=[text for _, text in ALL])
def test_it_is_refused_with_what_it_takes_instead(parse: Callable[[str], object], text: str) -> None:
    with pytest.raises(ExpressionError, match=r"\(\w+=?\) takes .*, but .* (was|were) given \(column \d+\):") as caught:
        parse(text)
    said, shown, caret = str(caught.value).split("\n")
    assert len(said) < 300
    assert shown == f"  {text}"
    assert caret.strip() == "^"
