"""One valid call of every public name and method: what the fuzz test changes, one argument at a time.

A new public name needs a line here; a new parameter does not, unless it must be given.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn

import lucidtorch as lt

PACKAGES = ("objectives", "param", "transforms", "constraints", "recipes", "datasets", "analysis", "models")
Arguments = Mapping[str, Any]


@functools.cache
def model() -> Any:
    return lt.load_model("demo", device="cpu")


@functools.cache
def rendering() -> Any:
    return lt.render(model(), "conv1_1:0", param=lt.param.image(32), steps=1, progress=False)


@functools.cache
def drawings() -> Any:
    return lt.datasets.drawings(length=4, size=32)


def fuzzed(activations: Any, layer: str) -> torch.Tensor:
    return activations[layer].flatten(1).amax(1)


PEAK = lt.parse("conv1_1:0")
IMAGE = torch.rand(3, 32, 32, generator=torch.Generator().manual_seed(0))
MAPS = torch.rand(2, 4, 6, 6, generator=torch.Generator().manual_seed(1))
ROWS = torch.rand(24, 5, generator=torch.Generator().manual_seed(2))
LAYER = {"layer": "conv1_1"}
RENDER = {"objective": "conv1_1:0", "param": lt.param.image(32), "steps": 1}
RECIPE = {"model": "demo", "size": 32, "progress": False, "output": "run"}
MADE = {**RECIPE, "steps": 1}
DATA = {"drawings": "test", "length": 8}
DRAWING = {"drawing": "star"}
TEXTURED = {"mesh": "cube", "size": 16}

# What is public and nothing to call: names of types, and classes that users derive from or get.
NO_CALL = {
    "LucidtorchError",
    "objectives.Activations",
    "objectives.ImageLike",
    "objectives.Memory",
    "objectives.Objective",
    "param.Basis",
    "param.Param",
    "param.Part",
    "transforms.Geometric",
    "transforms.Transform",
    "constraints.Constraint",
    "constraints.Moment",
    "recipes.RenderRecord",
    "recipes.Run",
    "datasets.Collection",
    "datasets.Scan",
    "analysis.Embedding",
    "analysis.Groups",
    "analysis.Occlusion",
    "analysis.Repeat",
    "models.Address",
    "models.LayerRecord",
    "models.LayerTable",
    "models.ReceptiveField",
    "Model",
    "models.Model",
    "models.ModelSource",
    "Rendering",
    "param.Statistics",
    "models.InputConvention",
    "transforms.Pipeline",
    "constraints.Constraints",
}
CALLS: dict[str, Arguments] = {
    "Engine": {},
    "gallery": {
        "model": "demo",
        "layers": ["conv1_1"],
        "units": [0],
        "param": "image(32)",
        "steps": 1,
        "folder": "pages",
    },
    "load_model": {"spec": "demo", "device": "cpu"},
    "optimize": {"model": "demo", **RENDER},
    "parse": {"text": "conv1_1:0"},
    "render": {"model": "demo", **RENDER, "progress": False},
    "objectives.L1": {},
    "objectives.L2": {},
    "objectives.Linf": {},
    "objectives.Lp": {},
    "objectives.activation_difference": {**LAYER, "image": IMAGE},
    "objectives.after": {"step": 1, "inner": PEAK},
    "objectives.alignment": LAYER,
    "objectives.alpha_coverage": {},
    "objectives.alpha_norm": {},
    "objectives.before": {"step": 1, "inner": PEAK},
    "objectives.blur_alpha": {},
    "objectives.blur_input": {},
    "objectives.boundary_complexity": {},
    "objectives.caricature": {**LAYER, "image": IMAGE},
    "objectives.channel": {**LAYER, "index": 0},
    "objectives.channel_weight": {**LAYER, "weights": [1.0] * 8},
    "objectives.contrast_bound": {},
    "objectives.deepdream": LAYER,
    "objectives.direction": {**LAYER, "vector": [1.0] * 8},
    "objectives.direction_neuron": {**LAYER, "vector": [1.0] * 8},
    "objectives.diversity": LAYER,
    "objectives.each": {"parts": PEAK},
    "objectives.facet": {**LAYER, "layer_top": "conv2_1", "vector": [1.0] * 8},
    "objectives.grid": {**LAYER, "image": IMAGE},
    "objectives.head": {**LAYER, "index": 0},
    "objectives.input_difference": {"image": IMAGE},
    "objectives.interpolate": {"start": PEAK, "end": PEAK, "n": 3},
    "objectives.inversion": {**LAYER, "image": IMAGE},
    "objectives.layer_mean": LAYER,
    "objectives.localgroup_weight": {**LAYER, "weights": [1.0] * 8},
    "objectives.logit": {"label": 0},
    "objectives.maximum": {"parts": PEAK},
    "objectives.mean": {"parts": PEAK},
    "objectives.minimum": {"parts": PEAK},
    "objectives.negative": {"inner": PEAK},
    "objectives.neuron": {**LAYER, "index": 0},
    "objectives.neuron_weight": {**LAYER, "weights": [1.0] * 8},
    "objectives.objective": {"function": fuzzed},
    "objectives.of": {"network": "a", "inner": PEAK},
    "objectives.of_image": {
        "activations": {"conv1_1": MAPS, lt.objectives.reference("conv1_1", IMAGE): MAPS},
        **LAYER,
        "image": IMAGE,
    },
    "objectives.parse": {"text": "conv1_1:0"},
    "objectives.photo": {"path": "photo.png"},
    "objectives.ramp": {"start": 0, "end": 4, "inner": PEAK},
    "objectives.reference": {**LAYER, "image": IMAGE},
    "objectives.spatial_channel": {**LAYER, "index": 0, "target": [[1.0, 2.0], [3.0, 4.0]]},
    "objectives.spatial_layer": {**LAYER, "target": torch.rand(2, 2, 2)},
    "objectives.spatial_match": {**LAYER, "image": IMAGE},
    "objectives.style": {**LAYER, "image": IMAGE},
    "objectives.tensor_direction": {**LAYER, "tensor": torch.rand(2, 2, 2)},
    "objectives.token": {**LAYER, "index": 0},
    "objectives.total_variation": {},
    "objectives.tv_beta": {},
    "objectives.unit_objective": {"function": fuzzed},
    **{f"{package}.register": {"word": fuzzed} for package in ("param", "transforms", "constraints")},
    "objectives.whitened_direction": {**LAYER, "vector": [1.0, 2.0], "whitening": [[1.0, 0.0], [0.0, 1.0]]},
    "param.aligned": {"size": 16, "count": 2},
    "param.animation": {"size": 16, "frames": 2},
    "param.cppn": {},
    "param.fft": {},
    "param.fit_statistics": {"images": [IMAGE, IMAGE]},
    "param.generated": {
        "module": nn.Sequential(nn.Linear(4, 3 * 8 * 8), nn.Unflatten(1, (3, 8, 8)), nn.Sigmoid()),
        "latent": 4,
    },
    "param.image": {"size": 16},
    "param.maco": {},
    "param.parse": {"text": "image(16)"},
    "param.photo": {"path": "photo.png"},
    "param.pixels": {},
    "param.pyramid": {},
    "param.shared": {"shape": [1, 3, 4, 4]},
    "param.stack": {"params": lt.param.image(16)},
    "transforms.atlas": {},
    "transforms.background": {},
    "transforms.blur": {"low": 1.0, "high": 2.0},
    "transforms.colour_jitter": {},
    "transforms.colour_noise": {"sd": 0.1},
    "transforms.crop": {"pixels": 1},
    "transforms.crop_or_pad_to": {"height": 16, "width": 16},
    "transforms.crops": {},
    "transforms.flip": {},
    "transforms.identity": {},
    "transforms.jitter": {"pixels": 1},
    "transforms.noise": {"sd": 0.1},
    "transforms.normalize_gradient": {},
    "transforms.pad": {"pixels": 1},
    "transforms.parse": {"text": "jitter(1)"},
    "transforms.perspective": {"strength": 0.1},
    "transforms.powers": {"base": 2.0, "low": 0, "high": 2},
    "transforms.random_crop": {"low": 0.5, "high": 0.9},
    "transforms.rotate": {"low": -5, "high": 5},
    "transforms.scale": {"low": 0.9, "high": 1.1},
    "transforms.shear": {"low": -5, "high": 5},
    "transforms.span": {"low": 0, "high": 1},
    "transforms.standard": {},
    "transforms.strong": {},
    "transforms.textured": TEXTURED,
    "transforms.uniform_noise": {"width": 0.1},
    "constraints.blur": {"sigma": 0.5},
    "constraints.clip_contribution": {"percentile": 5},
    "constraints.clip_norm": {"percentile": 5},
    "constraints.decay": {"rate": 0.1},
    "constraints.l2_ball": {"radius": 1.0},
    "constraints.linf_ball": {"radius": 0.1},
    "constraints.parse": {"text": "decay(0.1)"},
    "constraints.yosinski": {"preset": 1},
    "recipes.activation_grid": {**MADE, "layers": "conv2_1", "image": DRAWING, "image_size": 32, "group": 8},
    "recipes.activations": {**RECIPE, "layers": "conv1_1", "image": DRAWING},
    "recipes.adversarial": {**RECIPE, "image": DRAWING},
    "recipes.ascent_problems": {**MADE, "objectives": ["conv1_1:0"]},
    "recipes.class_preference": {**RECIPE, "layers": "conv1_1", "data": DATA},
    "recipes.deconvnet": {**RECIPE, "layers": "conv1_1", "units": [0], "data": DATA},
    "recipes.diversity": {**MADE, "objectives": ["conv1_1:0"]},
    "recipes.embedding": {**RECIPE, "layers": "conv1_1", "data": {**DATA, "length": 40}},
    "recipes.filters": {**RECIPE, "layers": "conv1_1", "steps": 1},
    "recipes.heatmap": {**RECIPE, "image": DRAWING},
    "recipes.interaction": {**MADE, "objectives": ["conv1_1:0", "conv1_1:1"]},
    "recipes.interpolation": {**MADE, "objectives": ["conv1_1:0", "conv1_1:1"]},
    "recipes.inversion": {**MADE, "layers": "conv1_1", "image": DRAWING},
    "recipes.layer_sheet": {**MADE, "layers": "conv1_1", "units": [0]},
    "recipes.model_tour": {**MADE},
    "recipes.negative": {**MADE, "layers": "conv1_1", "units": [0]},
    "recipes.neuron_groups": {**MADE, "layers": "conv1_1", "image": DRAWING},
    "recipes.optimization_film": {**MADE, "objective": "conv1_1:0"},
    "recipes.read_recipe": {"path": "picture.png"},
    "recipes.regularization_study": {**MADE, "objective": "conv1_1:0"},
    "recipes.render": {**MADE, "objective": "conv1_1:0"},
    "recipes.rerun": {"path": "picture.png"},
    "recipes.top_patches": {**RECIPE, "layers": "conv1_1", "units": [0], "data": DATA},
    "datasets.digits": {"split": "test"},
    "datasets.drawings": {"length": 2},
    "datasets.folder": {"path": "photos"},
    "datasets.lines": {"length": 2},
    "datasets.load_scan": {"folder": "scan"},
    "datasets.scan": {"model": "demo", "data": [IMAGE, IMAGE], "folder": "scan-new", "layers": ["conv1_1"]},
    "analysis.autocorrelation": {"image": IMAGE},
    "analysis.extreme_share": {"image": IMAGE},
    "analysis.fgsm_step": {"gradient": IMAGE, "epsilon": 0.1},
    "analysis.framed": {"images": IMAGE[None], "colours": torch.rand(1, 3)},
    "analysis.grad_cam": {"activations": MAPS, "gradients": MAPS},
    "analysis.grad_cam_plus_plus": {"activations": MAPS, "gradients": MAPS},
    "analysis.group_colours": {"count": 3},
    "analysis.group_overlay": {"image": IMAGE, "maps": torch.rand(2, 4, 4), "colours": torch.rand(2, 3)},
    "analysis.heat_legend": {},
    "analysis.heat_overlay": {"image": IMAGE, "heat": torch.rand(32, 32)},
    "analysis.held_near": {"images": IMAGE, "clean": IMAGE, "epsilon": 0.1},
    "analysis.histogram": {"image": IMAGE},
    "analysis.layer_cam": {"activations": MAPS, "gradients": MAPS},
    "analysis.neighbour_purity": {"vectors": ROWS, "labels": torch.arange(24) % 2, "neighbours": 3},
    "analysis.nmf_groups": {"activations": MAPS, "groups": 2, "max_iter": 20},
    "analysis.occlusion_maps": {
        "score": lambda images: images.flatten(1).mean(1, keepdim=True),
        "image": IMAGE,
        "patch": 16,
        "stride": 16,
        "fill": [0.5, 0.5, 0.5],
    },
    "analysis.on_grid": {"places": torch.rand(9, 2), "columns": 3},
    "analysis.patch_places": {"sides": (32, 32), "patch": 16, "stride": 16},
    "analysis.pca": {"vectors": ROWS},
    "analysis.power_spectrum": {"image": IMAGE},
    "analysis.radial_spectrum": {"image": IMAGE},
    "analysis.saturation": {"image": IMAGE},
    "analysis.spectral_slope": {"image": IMAGE},
    "analysis.strongest_repeat": {"correlation": torch.rand(32, 32)},
    "analysis.trustworthiness": {"vectors": ROWS, "places": ROWS[:, :2], "neighbours": 3},
    "analysis.tsne": {"vectors": ROWS, "perplexity": 5.0, "iterations": 250},
    "analysis.umap": {"vectors": ROWS, "neighbours": 5},
    "analysis.upscaled": {"maps": torch.rand(2, 4, 4), "size": (8, 8)},
    "models.expectation": {"model": None},
    "models.findings": {"model": None},
    "models.load_model": {"spec": "demo", "device": "cpu"},
    "models.load_source": {"source": None},
}
SMALL = ("--device", "cpu", "--size", "32", "--steps", "1")
COMMANDS: dict[str, tuple[str, ...]] = {
    "render": ("demo", "conv1_1:0", *SMALL, "-o", "made.png"),
    "layers": ("demo", "--device", "cpu"),
    "run": ("render", "--set", "model=demo", "--set", "steps=1", "--set", "size=32", "--set", "objective=conv1_1:0"),
    "recipes": ("render",),
    "schema": (),
    "gallery": ("demo", *SMALL, "--layers", "conv1_1", "--units", "0", "--workers", "1", "-o", "pages"),
    "scan": ("demo", "photos", "--device", "cpu", "--layers", "conv1_1", "-o", "scanned"),
    "rerun": ("picture.png",),
    "shell": ("demo", "--device", "cpu"),
    "demo": (),
}
# The methods of what users hold, beside what every object of torch has.
METHODS: dict[str, tuple[Callable[[], Any], dict[str, Arguments]]] = {
    "Model": (
        model,
        {
            "activations": {"images": IMAGE[None], "layers": "conv1_1"},
            "addresses": {"layers": ["conv1_1"], "size": (32, 32)},
            "classes_of": {"layer": "logits"},
            "label_index": {"label": 0},
            "layers_at": {"size": (32, 32)},
            "normalize": {"images": IMAGE[None]},
            "refusal": {"size": (32, 32)},
        },
    ),
    "Rendering": (
        rendering,
        {"picture": {"image": 0}, "png": {}, "save": {"path": "picture.png"}, "sheet": {}},
    ),
    "Image": (
        lambda: lt.param.image(16),
        {
            "assign": {"images": torch.rand(1, 3, 16, 16)},
            "at": {"size": 16},
            "fill": {"seeds": [0]},
            "resized": {"batch": 2},
        },
    ),
    "Objective": (lambda: PEAK, {"on": {"image": 0}}),
    "Collection": (drawings, {"batch": {"numbers": [0, 1]}, "save": {"folder": "saved"}}),
}
