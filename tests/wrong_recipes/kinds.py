"""What is wrong with fields of the other kinds."""

from __future__ import annotations

from wrong_recipes.case import Case

COMMON = "model: demo\nweights: random\ndevice: cpu\nsize: 24\nsteps: 2\n"
LOOKING = COMMON.replace("steps: 2\n", "")  # of kinds that optimize no picture

KINDS = {
    "one version": Case(
        f"recipe: diversity\n{COMMON}objectives: conv2_1:3\nversions: §1\n", "from 2 to 256.*1", "versions", schema=True
    ),
    "no unit of a tour": Case(f"recipe: model_tour\n{COMMON}unit: §-1\n", "from 0.*-1", "unit", schema=True),
    "layer of negatives": Case(f"recipe: negative\n{COMMON}layers: §conv9\n", "'conv9'", "layers"),
    "walk without an end": Case(
        f"recipe: interpolation\n{COMMON}objectives: §[conv2_1:3]\n", "At least 2 values", "objectives", schema=True
    ),
    "picture that is not there": Case(
        f"recipe: activation_grid\n{COMMON}layers: conv2_1\nimage: §none.jpg\n", r"none\.jpg", "image"
    ),
    "picture that is none": Case(
        f"recipe: activation_grid\n{COMMON}layers: conv2_1\nimage: §text.txt\n", r"text\.txt", "image"
    ),
    "drawing without a class": Case(
        f"recipe: activation_grid\n{COMMON}layers: conv2_1\nimage: {{§drwing: star}}\n",
        "image has no such field.*'drawing'",
        "image.drwing",
        schema=True,
    ),
    "number of a drawing": Case(
        f"recipe: activation_grid\n{COMMON}layers: conv2_1\nimage: {{drawing: star, number: §1000}}\n",
        "from 0 to 999.*1000",
        "image.number",
        schema=True,
    ),
    "word of a grid": Case(
        f"recipe: activation_grid\n{COMMON}layers: conv2_1\nimage: {{drawing: star}}\nshow: §all\n",
        "'direction', 'channel' or 'both'.*'all'",
        "show",
        schema=True,
    ),
    "drawing of several": Case(
        f"recipe: neuron_groups\n{COMMON}layers: conv2_1\nimages:\n- {{drawing: star}}\n- {{drawing: §3}}\n",
        "A text.*3",
        "images[1].drawing",
        schema=True,
    ),
    "no groups": Case(
        f"recipe: neuron_groups\n{COMMON}layers: conv2_1\nimage: {{drawing: star}}\ngroups: §0\n",
        "from 1 to 256.*0",
        "groups",
        schema=True,
    ),
    "format of a film": Case(
        f"recipe: optimization_film\n{COMMON}objective: conv2_1:3\nformats: [gif, §avi]\n",
        "'gif' or 'mp4'.*'avi'",
        "formats[1]",
        schema=True,
    ),
    "method of heat maps": Case(
        f"recipe: heatmap\n{LOOKING}image: {{drawing: star}}\nmethods: [grad_cam, §cam]\n",
        "'grad_cam'.*'occlusion'.*'cam'",
        "methods[1]",
        schema=True,
    ),
    "class of heat maps": Case(
        f"recipe: heatmap\n{LOOKING}image: {{drawing: star}}\nclasses: [star, §dragon]\n", "'dragon'", "classes[1]"
    ),
    "head of heat maps": Case(
        f"recipe: heatmap\n{LOOKING}image: {{drawing: star}}\nheads: [§colour]\n", "no head 'colour'", "heads[0]"
    ),
    "layer of heat maps": Case(
        f"recipe: heatmap\n{LOOKING}image: {{drawing: star}}\nlayers: [relu4_2, §fc]\n", "has no places", "layers[1]"
    ),
    "no square of heat maps": Case(
        f"recipe: heatmap\n{LOOKING}image: {{drawing: star}}\npatch: §0\n", "from 1 to 8192.*0", "patch", schema=True
    ),
    "objective of a study": Case(
        f"recipe: regularization_study\n{COMMON}objective: §3\n", "A text.*3", "objective", schema=True
    ),
    "strength of an attack": Case(
        f"recipe: adversarial\n{COMMON}image: {{drawing: star}}\nepsilon: §8/256\n", "such as 0.03.*'8/256'", "epsilon"
    ),
    "attack without iterations": Case(
        f"recipe: adversarial\n{COMMON.replace('steps: 2', 'steps: §0')}image: {{drawing: star}}\n",
        "from 1 to 1000.*0",
        "steps",
        schema=True,
    ),
    "target of an attack": Case(
        f"recipe: adversarial\n{COMMON}image: {{drawing: star}}\ntarget: §dragon\n", "no class 'dragon'", "target"
    ),
    "labels of an attack": Case(
        f"recipe: adversarial\n{COMMON}image: {{drawing: star}}\nlabels: [star, §2.5]\n",
        "whole number or a text.*2.5",
        "labels[1]",
        schema=True,
    ),
    "way down that there is not": Case(
        f"recipe: deconvnet\n{LOOKING}layers: conv2_1\nimage: {{drawing: star}}\nways: [guided, §lrp]\n",
        "'deconvnet'.*'lrp'",
        "ways[1]",
        schema=True,
    ),
    "pictures and data": Case(
        f"recipe: deconvnet\n{LOOKING}layers: conv2_1\nimage: {{drawing: star}}\ndata: §{{drawings: test}}\n",
        "not both",
        "data",
    ),
    "place that goes down": Case(
        f"recipe: deconvnet\n{LOOKING}layers: conv2_1\nimage: {{drawing: star}}\nplace: §centre\n",
        "'strongest' or 'all'.*'centre'",
        "place",
        schema=True,
    ),
    "units that are none": Case(
        f"recipe: deconvnet\n{LOOKING}layers: conv2_1\nimage: {{drawing: star}}\nunits: §weakest\n",
        "weakest",
        "units",
    ),
    "no picture to invert": Case(
        f"recipe: inversion\n{COMMON}layers: relu2_1\n", "^r.yaml: image: Pictures are looked at here; name one", ""
    ),
    "weight of an inversion": Case(
        f"recipe: inversion\n{COMMON}layers: relu2_1\nimage: {{drawing: star}}\ntv_weight: §-1\n",
        "from 0.*-1",
        "tv_weight",
        schema=True,
    ),
    "layer of an inversion": Case(
        f"recipe: inversion\n{COMMON}layers: [relu2_1, §relu9]\nimage: {{drawing: star}}\n", "relu9", "layers[1]"
    ),
    "way of an ascent": Case(
        f"recipe: ascent_problems\n{COMMON}objectives: [conv2_1:3]\nways: [plain, §blurred]\n",
        "'plain', 'transforms', 'frequencies' or 'regularized'.*'blurred'",
        "ways[1]",
        schema=True,
    ),
    "one objective where several stand": Case(
        f"recipe: ascent_problems\n{COMMON}objectives: §3\n", "objectives", "objectives", schema=True
    ),
    "map of no layer": Case(
        f"recipe: embedding\n{LOOKING}layers: §conv9\ndata: {{drawings: test, length: 8}}\n", "'conv9'", "layers"
    ),
    "way of making a map": Case(
        f"recipe: embedding\n{LOOKING}layers: conv2_1\ndata: {{drawings: test, length: 8}}\nmethod: §isomap\n",
        "'tsne', 'umap' or 'pca'.*'isomap'",
        "method",
        schema=True,
    ),
    "perplexity of few images": Case(
        f"recipe: embedding\n{LOOKING}layers: conv2_1\ndata: {{drawings: test, length: 8}}\nperplexity: §30\n",
        "With 8 images it is at most 2.333, but 30",
        "perplexity",
    ),
    "perplexity of a shadow": Case(
        f"recipe: embedding\n{LOOKING}layers: conv2_1\ndata: {{digits: test}}\nmethod: pca\nperplexity: §3\n",
        "nothing to pca.*method: tsne",
        "perplexity",
    ),
    "scale of maps": Case(
        "recipe: activations\nmodel: demo\nimage: {drawing: star}\nscale: §map\n",
        "'unit' or 'layer'.*'map'",
        "scale",
        schema=True,
    ),
    "layer of maps": Case(
        "recipe: activations\nmodel: demo\nimage: {drawing: star}\nlayers: [relu1_1, §relu9]\n", "'relu9'", "layers[1]"
    ),
    "start of filters": Case(
        f"recipe: filters\n{LOOKING}layers: conv1_1\nstart: §grey\n", "'blank' or 'noise'.*'grey'", "start", schema=True
    ),
    "two starts of filters": Case(
        f"recipe: filters\n{LOOKING}layers: conv1_1\nparam: image(24, sd=0.2)\nstart: §noise\n",
        "leave one of the two out",
        "start",
    ),
    "best of no filters": Case(
        f"recipe: filters\n{LOOKING}layers: conv1_1\nbest: §0\n", "from 1 to 1024.*0", "best", schema=True
    ),
    "patches of no data": Case(f"recipe: top_patches\n{LOOKING}", "Name the images", "data"),
    "patches of a folder that is not there": Case(
        f"recipe: top_patches\n{LOOKING}data: §none\n", "no folder.*none", "data"
    ),
    "patches of two sorts of data": Case(
        f"recipe: top_patches\n{LOOKING}data: §{{drawings: test, digits: test}}\n", "drawings and digits", "data"
    ),
    "split of drawings": Case(
        f"recipe: top_patches\n{LOOKING}data: {{drawings: §tset}}\n",
        "'train' or 'test'.*'tset'",
        "data.drawings",
        schema=True,
    ),
    "no patches": Case(
        f"recipe: top_patches\n{LOOKING}data: {{drawings: test}}\ntop: §0\n", "from 1 to 100.*0", "top", schema=True
    ),
    "layer of patches": Case(
        f"recipe: top_patches\n{LOOKING}data: {{drawings: test}}\nlayers: [conv1_1, §conv9]\n", "'conv9'", "layers[1]"
    ),
    "preference by no image": Case(
        f"recipe: class_preference\n{LOOKING}data: {{drawings: test}}\nranked: §0\n",
        "from 1 to 10,?000.*0",
        "ranked",
        schema=True,
    ),
    "preference in a scan that is none": Case(
        f"recipe: class_preference\n{LOOKING}scan: §none\n", "holds no scan", "scan"
    ),
}
