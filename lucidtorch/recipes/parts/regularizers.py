"""What keeps pictures natural: the regularizers that a study compares, each by a word or by its parts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, TypeAlias, get_args

from pydantic import BaseModel, ConfigDict, Field

RegularizerWord: TypeAlias = Literal[
    "L1",
    "total_variation",
    "blur_input",
    "decay",
    "blur",
    "clip_norm",
    "clip_contribution",
    "jitter",
    "rotate",
    "scale",
    "standard",
    "fft",
    "decorrelate",
]
WORDS: tuple[RegularizerWord, ...] = get_args(RegularizerWord)


class OtherNumbers(BaseModel):
    """Arguments of ``image(...)`` that differ from those of plain ascent; what is left out stays.

    Attributes:
        fft: Whether the numbers are frequencies.
        decorrelate: Whether colours lie on the independent axes of natural images.
        sd: The standard deviation of the numbers at the start, where that is noise.
        decay: How fast high frequencies fade.
        bounds: What brings the numbers into [0, 1].
        spatial: Another main part, as text.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    fft: bool | None = Field(default=None, description="Frequencies instead of pixels.")
    decorrelate: bool | None = Field(default=None, description="Colours on the axes of photographs.")
    sd: float | None = Field(default=None, gt=0, allow_inf_nan=False, description="How strong noise at the start is.")
    decay: float | None = Field(default=None, allow_inf_nan=False, description="How fast high frequencies fade.")
    bounds: Literal["sigmoid", "clip"] | None = Field(default=None, description="What keeps numbers in [0, 1].")
    spatial: str | None = Field(default=None, description="Another main part, such as pyramid().")

    @property
    def given(self) -> dict[str, object]:
        """What differs, by name."""
        return self.model_dump(exclude_none=True)

    def __str__(self) -> str:
        words = (f"{name}={value if name == 'spatial' else repr(value)}" for name, value in self.given.items())
        return ", ".join(words)


class Regularizer(BaseModel):
    """A regularizer: what is done to a picture beside plain ascent. What is left out stays as it is there.

    Attributes:
        name: What it is called.
        penalty: What is subtracted from the objective, a positive size.
        transforms: What the network sees the picture through.
        constraints: What is done to the picture after each step.
        param: Other arguments of ``image(...)``.
        text: What it does, in a sentence.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1, max_length=60, pattern=r"\S", description="What the picture is called.")
    penalty: str | None = Field(
        default=None, description="Subtracted from the objective: a positive size, such as 0.1 * tv_beta()."
    )
    transforms: str | None = Field(default=None, description="Such as jitter(4) | rotate(-10, 10).")
    constraints: str | None = Field(default=None, description="Such as decay(0.01) | blur(1.0, every=8).")
    param: OtherNumbers | None = Field(
        default=None, description="Other arguments of image(...), such as {fft: true, decay: 1.2}."
    )
    text: str = Field(default="", description="What it does, in a sentence for the page.")


RegularizerField: TypeAlias = Annotated[RegularizerWord | Regularizer, Field(description="A word, or its parts.")]

BUILT_IN: Mapping[RegularizerWord, Regularizer] = {
    "L1": Regularizer(
        name="L1",
        penalty="0.05 * L1(constant=0.5)",
        text="Every distance from middle grey costs: what the unit hardly needs stays grey.",
    ),
    "total_variation": Regularizer(
        name="total_variation",
        penalty="0.25 * total_variation()",
        text="Every difference between neighbouring pixels costs: flat patches with few edges are left.",
    ),
    "blur_input": Regularizer(
        name="blur_input",
        penalty="1.0 * blur_input()",
        text="The distance from a blurred self costs: each step also pulls a little towards smoothness.",
    ),
    "decay": Regularizer(
        name="decay",
        constraints="decay(0.01)",
        text="After each step the picture fades by a hundredth: only what the unit asks for again and again stays.",
    ),
    "blur": Regularizer(
        name="blur",
        constraints="blur(0.5, every=4)",
        text="Every fourth step the picture itself is blurred: fine noise cannot build up.",
    ),
    "clip_norm": Regularizer(
        name="clip_norm",
        constraints="clip_norm(50)",
        text="After each step the fainter half of the pixels is cleared: what is strong stands on bare ground.",
    ),
    "clip_contribution": Regularizer(
        name="clip_contribution",
        constraints="clip_contribution(90)",
        text="After each step the nine tenths of the pixels are cleared that the unit would miss least. It was made "
        "for much larger steps; with small ones little can grow.",
    ),
    "jitter": Regularizer(
        name="jitter",
        transforms="jitter(1)",
        text="The network sees the picture moved by a pixel at random: patterns that need an exact place do not pay.",
    ),
    "rotate": Regularizer(
        name="rotate",
        transforms="rotate(-5, 5)",
        text="The network sees the picture turned by up to 5 degrees at random: what is left bears a tilt.",
    ),
    "scale": Regularizer(
        name="scale",
        transforms="scale(0.91, 1.1)",
        text="The network sees the picture a little larger or smaller at random: what is left bears another size.",
    ),
    "standard": Regularizer(
        name="standard",
        transforms="pad(12) | jitter(8) | scale(0.9, 1.1) | rotate(-10, 10) | jitter(4)",
        text="Moved, turned and scaled at once, as every render does if nothing else is asked for: only what survives "
        "all of it is drawn.",
    ),
    "fft": Regularizer(
        name="fft",
        param=OtherNumbers(fft=True),
        text="The steps change frequencies instead of pixels, each by what is equally visible: broad shapes come "
        "first, fine noise last.",
    ),
    "decorrelate": Regularizer(
        name="decorrelate",
        param=OtherNumbers(decorrelate=True),
        text="The steps move along the independent colour axes of photographs: light and dark move more freely than "
        "hues.",
    ),
}


def known(given: RegularizerField) -> Regularizer:
    """Look a word up."""
    return given if isinstance(given, Regularizer) else BUILT_IN[given]
