"""Fields whose name, type or range is wrong."""

from __future__ import annotations

from wrong_recipes.case import RENDER, SHEET, Case

FIELDS = {
    "no kind": Case("model: demo\n", "`recipe:` is missing.*render, layer_sheet.*lucidtorch recipes", schema=True),
    "unknown kind": Case("recipe: §layer_shet\n", "no kind 'layer_shet'.*'layer_sheet'", "recipe", schema=True),
    "number as kind": Case("recipe: §3\n", "no kind 3", "recipe", schema=True),
    "no network": Case("recipe: render\nobjective: conv2_1:3\n", "model: vgg16", "model", schema=True),
    "no network said": Case("recipe: render\nobjective: conv2_1:3\nmodel:§\n", "names its network", "model"),
    "missing field": Case(SHEET, "needed. The address of a layer", "layers", schema=True),
    "missing field inside": Case(
        "recipe: render\nobjective: conv2_1:3\nmodel: §{mean: 0}\n", "needed. A name such as", "model.spec", schema=True
    ),
    "unknown field": Case(f"{RENDER}§step: 3\n", "render has no such field.*'steps'", "step", schema=True),
    "field of another kind": Case(f"{RENDER}§layers: conv2_1\n", "render has no such field", "layers", schema=True),
    "unknown field inside": Case(
        "recipe: render\nobjective: conv2_1:3\nmodel:\n  spec: demo\n  §maen: 0\n",
        "model has no such field. Did you mean 'mean'",
        "model.maen",
        schema=True,
    ),
    "unknown field of a run": Case(
        f"{RENDER}made_with: {{§version: {{}}}}\n", "no such field.*'versions'", "made_with.version", schema=True
    ),
    "number as objective": Case(
        "recipe: render\nmodel: demo\nobjective: §5\n", "A text.*5.*put it in quotes", "objective", schema=True
    ),
    "mapping as objective": Case(
        "recipe: render\nmodel: demo\nobjective: §{conv1_1: 3}\n", "A text.*quotes", "objective", schema=True
    ),
    "list as objective": Case(
        "recipe: render\nmodel: demo\nobjective: §[conv1_1, 3]\n", "A text.*conv1_1", "objective", schema=True
    ),
    "truth value for a number": Case(f"{RENDER}images: §true\n", "A whole number.*true", "images", schema=True),
    "number for a truth value": Case(
        "recipe: render\nobjective: conv2_1:3\nmodel: {spec: demo, trace: §1}\n",
        "True or false.*1",
        "model.trace",
        schema=True,
    ),
    "text for a number": Case(f"{RENDER}batch: §'3'\n", "A whole number.*'3'", "batch", schema=True),
    "fraction for a whole number": Case(f"{RENDER}batch: §1.5\n", "A whole number.*1.5", "batch", schema=True),
    "text for a fraction": Case(f"{RENDER}lr: §fast\n", "A number is needed, but 'fast'", "lr", schema=True),
    "number for a text": Case(f"{RENDER}title: §2001\n", "A text.*2001.*quotes", "title", schema=True),
    "mapping for a list": Case(f"{SHEET}layers: §{{a: b}}\n", "A text or a list", "layers", schema=True),
    "number in a list of texts": Case(f"{SHEET}layers: [conv1_1, §3]\n", "A text.*3", "layers[1]", schema=True),
    "text in a list of numbers": Case(
        f"{SHEET}layers: conv1_1\nunits: [1, §a]\n", "A whole number.*'a'", "units[1]", schema=True
    ),
    "text in the mean": Case(
        "recipe: render\nobjective: conv2_1:3\nmodel: {spec: demo, mean: [0, §x, 0]}\n",
        "A number is needed, but 'x'",
        "model.mean[1]",
        schema=True,
    ),
    "empty list": Case(f"{SHEET}layers: §[]\n", "At least one value", "layers", schema=True),
    "empty list of units": Case(f"{SHEET}layers: conv1_1\nunits: §[]\n", "At least one value", "units", schema=True),
    "negative unit": Case(f"{SHEET}layers: conv1_1\nunits: §-1\n", "from 0 is needed, but -1", "units", schema=True),
    "negative unit in a list": Case(
        f"{SHEET}layers: conv1_1\nunits:\n- 1\n- §-2\n", "from 0 is needed, but -2", "units[1]", schema=True
    ),
    "no columns": Case(f"{SHEET}layers: conv1_1\ncolumns: §0\n", "from 1 to 1024.*0", "columns", schema=True),
    "negative seed": Case(f"{RENDER}seed: §-1\n", "from 0.*-1", "seed", schema=True),
    "seed in a list": Case(f"{RENDER}seed: [1, §-3]\n", "from 0.*-3", "seed[1]", schema=True),
    "huge seed": Case(f"{RENDER}seed: §{2**63}\n", f"below {2**63}", "seed", schema=True),
    "no learning": Case(f"{RENDER}lr: §0\n", "above 0.*0", "lr", schema=True),
    "no images": Case(f"{RENDER}images: §0\n", "from 1 to 4096.*0", "images", schema=True),
    "many images": Case(f"{RENDER}images: §100000\n", "from 1 to 4096.*100000", "images", schema=True),
    "unknown optimizer": Case(f"{RENDER}optimizer: §adm\n", "adam, sgd.*'adm'", "optimizer", schema=True),
    "unknown schedule": Case(f"{RENDER}lr_schedule: §linear\n", "trapezoid.*'linear'", "lr_schedule", schema=True),
    "bad trapezoid": Case(f"{RENDER}lr_schedule: §trapezoid(warmup=2)\n", "warmup.*2", "lr_schedule"),
    "unknown stop": Case(f"{RENDER}stop: §early\n", "plateau.*'early'", "stop", schema=True),
    "no compute batch": Case(f"{RENDER}compute_batch: §0\n", "0", "compute_batch", schema=True),
    "a word for a switch": Case(f"{RENDER}fold: §never\n", "'never'", "fold", schema=True),
    "unknown precision": Case(f"{RENDER}precision: §half\n", "'bfloat16'.*'half'", "precision", schema=True),
    "no threads": Case(f"{RENDER}threads: §0\n", "from 1 to 1024.*0", "threads", schema=True),
    "number as constraints": Case(f"{RENDER}constraints: §5\n", "A text.*5", "constraints", schema=True),
    "empty constraints": Case(f"{RENDER}constraints:§\n", "A text is needed, but nothing", "constraints", schema=True),
    "unknown order of colours": Case(
        "recipe: render\nobjective: conv2_1:3\nmodel: {spec: demo, channel_order: §brg}\n",
        "'rgb' or 'bgr'.*'brg'",
        "model.channel_order",
        schema=True,
    ),
}
