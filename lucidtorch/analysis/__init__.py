"""Analysis: what a network's activations on pictures are made of, in numbers and laid over the pictures."""

from lucidtorch.analysis.adversarial_steps import fgsm_step, held_near
from lucidtorch.analysis.embeddings import Embedding, neighbour_purity, on_grid, pca, trustworthiness, tsne, umap
from lucidtorch.analysis.factors import Groups, nmf_groups
from lucidtorch.analysis.heatmaps import (
    Occlusion,
    grad_cam,
    grad_cam_plus_plus,
    layer_cam,
    occlusion_maps,
    patch_places,
    upscaled,
)
from lucidtorch.analysis.overlays import framed, group_colours, group_overlay, heat_legend, heat_overlay
from lucidtorch.analysis.picture_measures import (
    Repeat,
    autocorrelation,
    extreme_share,
    histogram,
    power_spectrum,
    radial_spectrum,
    saturation,
    spectral_slope,
    strongest_repeat,
)

__all__ = [
    "Embedding",
    "Groups",
    "Occlusion",
    "Repeat",
    "autocorrelation",
    "extreme_share",
    "fgsm_step",
    "framed",
    "grad_cam",
    "grad_cam_plus_plus",
    "group_colours",
    "group_overlay",
    "heat_legend",
    "heat_overlay",
    "held_near",
    "histogram",
    "layer_cam",
    "neighbour_purity",
    "nmf_groups",
    "occlusion_maps",
    "on_grid",
    "patch_places",
    "pca",
    "power_spectrum",
    "radial_spectrum",
    "saturation",
    "spectral_slope",
    "strongest_repeat",
    "trustworthiness",
    "tsne",
    "umap",
    "upscaled",
]
