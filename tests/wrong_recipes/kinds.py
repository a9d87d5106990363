"""What is wrong with fields of the other kinds."""

from __future__ import annotations

from wrong_recipes.case import Case

COMMON = "model: demo\nweights: random\ndevice: cpu\nsize: 24\nsteps: 2\n"

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
    "objective of a study": Case(
        f"recipe: regularization_study\n{COMMON}objective: §3\n", "A text.*3", "objective", schema=True
    ),
}
