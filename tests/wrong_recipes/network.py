"""Recipes that do not fit their network, or whose fields contradict each other."""

from __future__ import annotations

from wrong_recipes.case import RENDER, SHEET, Case

WITHOUT_SIZE = "recipe: render\nmodel: demo\nweights: random\ndevice: cpu\nsteps: 2\nobjective: conv2_1:3\n"
WITHOUT_STEPS = WITHOUT_SIZE.replace("steps: 2\n", "size: 24\n")
WITHOUT_OBJECTIVE = "recipe: render\nmodel: demo\nweights: random\ndevice: cpu\nsize: 24\nsteps: 2\n"
WITHOUT_WEIGHTS = "recipe: render\nmodel: demo\ndevice: cpu\nsize: 24\nsteps: 2\nobjective: conv2_1:3\n"

NETWORK = {
    "unknown network": Case("recipe: render\nmodel: §vgg61\nobjective: a:1\n", "'vgg61'.*'vgg16'", "model"),
    "empty network": Case("recipe: render\nmodel: §''\nobjective: a:1\n", "no network ''", "model"),
    "network of a file that is not there": Case(
        "recipe: render\nmodel: §net.py:make\nobjective: a:1\n", r"net\.py", "model"
    ),
    "std of a network": Case(
        "recipe: render\nobjective: a:1\nweights: random\nmodel: §{spec: demo, std: 0}\n", "above 0", "model"
    ),
    "mean of two numbers": Case(
        "recipe: render\nobjective: a:1\nweights: random\nmodel: §{spec: demo, mean: [0, 0]}\n",
        "2 numbers for 3 channels",
        "model",
    ),
    "labels that are not there": Case(
        "recipe: render\nobjective: a:1\nweights: random\nmodel: §{spec: demo, labels: none.txt}\n", "none.txt", "model"
    ),
    "unknown device": Case(WITHOUT_SIZE.replace("cpu", "§abacus"), "'abacus'", "device"),
    "unknown network beside a file of weights": Case(
        "recipe: render\nmodel: §vgg61\nweights: corrupt.safetensors\nobjective: a:1\n", "'vgg61'.*'vgg16'", "model"
    ),
    "weights that are not there": Case(f"{WITHOUT_WEIGHTS}weights: §none.pth\n", r"none\.pth", "weights"),
    "weights by a word": Case(f"{WITHOUT_WEIGHTS}weights: §best\n", "'best'.*default", "weights"),
    "corrupt weights": Case(f"{WITHOUT_WEIGHTS}weights: §corrupt.safetensors\n", "is broken", "weights"),
    "layer": Case(
        f"{WITHOUT_OBJECTIVE}objective: §conv2_l:3\n", "'conv2_l'.*'conv2_1'.*lucidtorch layers", "objective"
    ),
    "objective": Case(f"{WITHOUT_OBJECTIVE}objective: §'conv2_1:3 + )'\n", "does not parse", "objective"),
    "empty objective": Case(f"{WITHOUT_OBJECTIVE}objective: §''\n", "empty", "objective"),
    "code as objective": Case(
        f"{WITHOUT_OBJECTIVE}objective: §\"__import__('os').mkdir('proof')\"\n", r"\^", "objective"
    ),
    "word of an objective": Case(
        f"{WITHOUT_OBJECTIVE}objective: §chanel('a', 3)\n", "'chanel'.*'channel'", "objective"
    ),
    "unit of an objective": Case(f"{WITHOUT_OBJECTIVE}objective: §conv2_1:48\n", "48 channels", "objective"),
    "layer of a sheet": Case(f"{SHEET}layers: §conv9\n", "'conv9'.*Did you mean", "layers"),
    "layer among several": Case(f"{SHEET}layers:\n  - conv1_1\n  - §conv9\n", "'conv9'", "layers[1]"),
    "units of a sheet": Case(f"{SHEET}layers: conv2_1\nunits: §48-50\n", "48 channels", "units"),
    "units that are no numbers": Case(f"{SHEET}layers: conv2_1\nunits: §some\n", "0-63.*'some'", "units"),
    "units backwards": Case(f"{SHEET}layers: conv2_1\nunits: §9-3\n", "9-3", "units"),
    "param": Case(f"{WITHOUT_SIZE}param: §image(24\n", r"does not parse.*\^", "param"),
    "unknown param": Case(f"{WITHOUT_SIZE}param: §imag(24)\n", "'imag'.*'image'", "param"),
    "empty param": Case(f"{WITHOUT_SIZE}param: §''\n", "empty", "param"),
    "size beside param": Case(f"{WITHOUT_SIZE}param: image(32)\nsize: §24\n", "24 x 24.*32 x 32.*leave one", "size"),
    "no size": Case(f"{WITHOUT_SIZE}size: §0\n", "from 1 to 8192.*0", "size", schema=True),
    "huge size": Case(f"{WITHOUT_SIZE}size: §100000\n", "from 1 to 8192.*100000", "size", schema=True),
    "huge side": Case(f"{WITHOUT_SIZE}size: [24, §100000]\n", "from 1 to 8192.*100000", "size[1]", schema=True),
    "one side": Case(f"{WITHOUT_SIZE}size: §[24]\n", r"At least 2 values.*\[24\]", "size", schema=True),
    "four sides": Case(f"{WITHOUT_SIZE}size: §[1, 2, 3, 4]\n", "At most 3 values.*4", "size", schema=True),
    "size as text": Case(f"{WITHOUT_SIZE}size: §large\n", "A whole number or a list.*'large'", "size", schema=True),
    "no steps": Case(f"{WITHOUT_STEPS}steps: §0\n", "from 1 to 1000000.*0", "steps", schema=True),
    "many steps": Case(f"{WITHOUT_STEPS}steps: §10_000_000\n", "A whole number.*'10_000_000'", "steps", schema=True),
    "transforms": Case(f"{RENDER}transforms: §pad(12) | blurr(3)\n", r"blurr.*\^", "transforms"),
    "constraints": Case(f"{RENDER}constraints: §blur(0.5\n", "does not parse", "constraints"),
    "unknown constraint": Case(f"{RENDER}constraints: §bluur(0.5)\n", "'bluur'.*'blur'", "constraints"),
    "snapshots beyond the steps": Case(f"{RENDER}snapshots: §[1, 9]\n", "9", "snapshots"),
    "seeds for other images": Case(f"{RENDER}seed: §[1, 2, 3]\n", "3", "seed"),
}
