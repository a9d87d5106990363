"""The ways that ascent is shown in, from plain to as usual: what is added to plain ascent in each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias, get_args

from lucidtorch.recipes.parts.regularizers import BUILT_IN, OtherNumbers, Regularizer

WayWord: TypeAlias = Literal["plain", "transforms", "frequencies", "regularized"]
WAYS: tuple[WayWord, ...] = get_args(WayWord)

FREQUENCIES = Regularizer(
    name="frequencies", param=OtherNumbers(fft=True, decorrelate=True, bounds="sigmoid")
)  # what `image(...)` does if nothing else is asked for

ADDED: Mapping[WayWord, tuple[Regularizer, ...]] = {
    "plain": (),
    "transforms": (BUILT_IN["standard"],),
    "frequencies": (FREQUENCIES,),
    "regularized": (BUILT_IN["standard"], FREQUENCIES),
}

SAID: Mapping[WayWord, str] = {
    "plain": "the pixels follow the gradient, and nothing else is done",
    "transforms": "pixels again, but the network sees them moved, turned and scaled at random",
    "frequencies": "waves and independent colours are changed in place of pixels, without transforms",
    "regularized": "both, as every render does if nothing else is asked for",
}
