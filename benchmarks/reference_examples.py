"""One example of every word of the notation: what its small picture in the reference pages shows.

In an example, a name such as `drawing` stands for something that a text holds as a file: see `reference_things.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

SIZE = 64
GOAL = "channel('conv4_1', 12)"
STAR = "logit('star')"


@dataclass(frozen=True)
class Example:
    """What is rendered, and how; what is left out is as in the others.

    Attributes:
        objective: The objective's text.
        param: The param's text.
        transforms: The pipeline's text; the standard one where None.
        constraints: Their text.
        steps: The number of updates.
        lr: The step size.
        optimizer: `adam` or `sgd`.
        models: Several networks that ship, called `a`, `b`; `demo` where there are none.
        excuse: Why there is no picture; empty where there is one.
    """

    objective: str = GOAL
    param: str = f"image({SIZE})"
    transforms: str | None = None
    constraints: str = ""
    steps: int = 96
    lr: float = 0.05
    optimizer: str = "adam"
    models: tuple[str, ...] = ()
    excuse: str = ""

    def told(self, leading: str, usual: Example) -> list[str]:
        """Write down one part of it, and what else differs from the usual."""
        names = ("objective", "param", "transforms", "constraints", "optimizer", "lr")
        others = [name for name in names if name != leading and getattr(self, name) != getattr(usual, name)]
        return [str(getattr(self, leading)), *(f"{name}: {getattr(self, name)}" for name in others)]


def _of_pictures(objective: str, steps: int = 128) -> Example:
    return Example(objective, steps=steps)


TRANSFORMER = "needs a transformer, and none ships with the package"
OBJECTIVES = {
    "channel": Example("channel('conv4_1', 12)"),
    "neuron": Example("neuron('conv4_1', 12)"),
    "logit": Example("logit('star')", steps=128),
    "layer_mean": Example("layer_mean('relu3_2')"),
    "deepdream": Example("deepdream('conv2_2')"),
    "token": Example("token('encoder.layers.encoder_layer_11', 5)", excuse=TRANSFORMER),
    "head": Example("head('encoder.layers.encoder_layer_11', 3)", excuse=TRANSFORMER),
    "direction": Example("direction('conv3_2', vector, cossim_pow=2)"),
    "direction_neuron": Example("direction_neuron('conv3_2', vector)"),
    "tensor_direction": Example("tensor_direction('conv3_2', maps)"),
    "whitened_direction": Example("whitened_direction('conv3_2', vector, matrix)"),
    "channel_weight": Example("channel_weight('conv3_2', weights)"),
    "neuron_weight": Example("neuron_weight('conv3_2', vector)"),
    "localgroup_weight": Example("localgroup_weight('conv3_2', vector, wx=4, wy=4)"),
    "spatial_channel": Example("spatial_channel('conv3_2', 5, map, cossim_pow=1)"),
    "spatial_layer": Example("spatial_layer('conv3_2', maps, cossim_pow=1)"),
    "facet": Example("channel('conv4_1', 12) + 0.1 * facet('conv3_2', 'conv4_1', unit, vector)"),
    "diversity": Example("channel('conv4_1', 12) - 0.2 * diversity('conv3_2')", f"image({SIZE}, batch=4)"),
    "alignment": Example(
        "interpolate(channel('conv4_1', 12), channel('conv4_1', 40), 4) - 0.1 * alignment('conv2_2')",
        f"image({SIZE}, batch=4)",
    ),
    "interpolate": Example("interpolate(channel('conv4_1', 12), channel('conv4_1', 40), 4)"),
    "each": Example("each(channel('conv3_2', 5), logit('star'), deepdream('conv2_2'), neuron('conv4_1', 12))"),
    "negative": Example("negative(channel('conv4_1', 12))"),
    "sum": Example("sum([channel('conv4_1', 12), channel('conv3_2', 5)])"),
    "mean": Example("mean([channel('conv4_1', 12), channel('conv3_2', 5)])"),
    "minimum": Example("minimum([channel('conv4_1', 12), channel('conv3_2', 5)])"),
    "maximum": Example("maximum([channel('conv4_1', 12), channel('conv3_2', 5)])"),
    "after": Example("channel('conv4_1', 12) - after(48, 0.0003 * total_variation())"),
    "before": Example("channel('conv4_1', 12) + before(48, channel('conv3_2', 5))"),
    "ramp": Example("channel('conv4_1', 12) - ramp(0, 96, total_variation(), 0, 0.0003)"),
    "of": Example("of('a', logit('star')) + of('b', logit('star'))", models=("demo", "demo-judge"), steps=128),
    "grid": Example("grid('conv4_1', drawing, cossim_pow=2)", "image(32)", steps=64),
    "inversion": _of_pictures("-inversion('conv2_2', drawing)"),
    "activation_difference": _of_pictures("-activation_difference('conv2_2', drawing)"),
    "caricature": Example("caricature('conv3_2', drawing, cossim_pow=1)", f"image({SIZE}, init=drawing)", steps=64),
    "input_difference": Example(
        "channel('conv4_1', 12) - 4 * input_difference(drawing)", f"image({SIZE}, init=drawing)"
    ),
    "spatial_match": _of_pictures("spatial_match('conv3_1', drawing)"),
    "style": _of_pictures("-style('conv1_2', drawing) - style('conv2_2', drawing)"),
    "L1": Example("channel('conv4_1', 12) - 0.0001 * L1(constant=0.5)"),
    "L2": Example("channel('conv4_1', 12) - 0.005 * L2(constant=0.5)"),
    "Lp": Example("channel('conv4_1', 12) - Lp(constant=0.5)"),
    "Linf": Example("channel('conv4_1', 12) - 5 * Linf(constant=0.5)"),
    "alpha_norm": Example("channel('conv4_1', 12) - 0.1 * alpha_norm()"),
    "contrast_bound": Example("channel('conv4_1', 12) - 0.1 * contrast_bound(bound=0.25)"),
    "total_variation": Example("channel('conv4_1', 12) - 0.0002 * total_variation()"),
    "tv_beta": Example("channel('conv4_1', 12) - 0.005 * tv_beta()"),
    "blur_input": Example("channel('conv4_1', 12) - 0.1 * blur_input()"),
    "boundary_complexity": Example("channel('conv4_1', 12) - 0.02 * boundary_complexity(width=8)"),
    "alpha_coverage": Example("logit('star') - 8 * alpha_coverage()", f"image({SIZE}, alpha=True)", steps=128),
    "blur_alpha": Example(
        "logit('star') - 8 * alpha_coverage() - blur_alpha()", f"image({SIZE}, alpha=True)", steps=128
    ),
}
PARAMS = {
    "image": Example(param="image(64)"),
    "fft": Example(param="image(64, spatial=fft(decay=1.5))"),
    "pixels": Example(param="image(64, spatial=pixels())"),
    "pyramid": Example(param="image(64, spatial=pyramid(levels=4))"),
    "cppn": Example(param="image(64, spatial=cppn(), decorrelate=False)", lr=0.005, steps=256),
    "maco": Example(param="image(64, spatial=maco())", transforms="crops()", lr=0.1, steps=128),
    "shared": Example("channel('conv4_1', [12, 40, 3, 7])", param="image(64, batch=4) + shared([1, 3, 16, 16])"),
    "stack": Example(param="stack(image(64), image(64, spatial=pixels()))"),
    "aligned": Example("interpolate(channel('conv4_1', 12), channel('conv4_1', 40), 4)", param="aligned(64, 4)"),
    "animation": Example(param="animation(64, 6)"),
    "fit_statistics": Example(param="fit_statistics(images)", excuse="it measures images and makes none"),
    "generated": Example(param="generated(module)", excuse="takes a module of yours, and none ships with the package"),
}
TRANSFORMS = {
    "identity": Example(transforms="identity()"),
    "standard": Example(transforms="standard()"),
    "strong": Example(transforms="strong()"),
    "atlas": Example(transforms="atlas()"),
    "crops": Example(transforms="crops()"),
    "pad": Example(transforms="pad(12, value=0.25)"),
    "jitter": Example(transforms="jitter(16)"),
    "random_crop": Example(transforms="random_crop(0.3, 0.7, views=2)"),
    "crop": Example(transforms="crop(16)"),
    "crop_or_pad_to": Example(transforms="crop_or_pad_to(48, 80)"),
    "flip": Example(transforms="flip()"),
    "scale": Example(transforms="scale(0.6, 1.4)"),
    "rotate": Example(transforms="rotate(-45, 45)"),
    "shear": Example(transforms="shear(-30, 30)"),
    "perspective": Example(transforms="perspective(0.6)"),
    "powers": Example(transforms="scale([powers(0.95, 0, 9)])"),
    "span": Example(transforms="rotate([span(-20, 20), 0, 0])"),
    "blur": Example(transforms="blur(0.5, 2)"),
    "noise": Example(transforms="noise(0.1)"),
    "uniform_noise": Example(transforms="uniform_noise(0.2)"),
    "colour_noise": Example(transforms="colour_noise(0.1)"),
    "colour_jitter": Example(transforms="colour_jitter(0.3, 0.3, 0.5, 0.2)"),
    "background": Example(STAR, f"image({SIZE}, alpha=True)", "background() | jitter(8)", steps=128),
    "textured": Example(transforms="textured('torus', 64)", steps=128),
    "normalize_gradient": Example(transforms="normalize_gradient() | jitter(8)", optimizer="sgd", lr=0.1),
}
CONSTRAINED = Example(param=f"image({SIZE}, spatial=pixels(), bounds='clip')", transforms="jitter(8)")
CONSTRAINTS = {
    word: replace(CONSTRAINED, constraints=text)
    for word, text in {
        "decay": "decay(0.05)",
        "blur": "blur(0.5)",
        "clip_norm": "clip_norm(50)",
        "clip_contribution": "clip_contribution(50)",
        "l2_ball": "l2_ball(8)",
        "linf_ball": "linf_ball(0.1)",
    }.items()
}
CONSTRAINTS["yosinski"] = Example(
    STAR,
    f"image({SIZE}, spatial=pixels(), decorrelate=False, bounds='clip')",
    "identity()",
    "yosinski(3)",
    lr=10.0,
    optimizer="sgd",
)
EXAMPLES = {"objectives": OBJECTIVES, "params": PARAMS, "transforms": TRANSFORMS, "constraints": CONSTRAINTS}
USUAL = {"constraints": CONSTRAINED}  # what is not told in each example of a chapter
