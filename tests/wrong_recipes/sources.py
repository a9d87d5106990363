"""What recipes extend, where they write to, and what is set on the command line."""

from __future__ import annotations

from wrong_recipes.case import RENDER, SHEET, Case

SOURCES = {
    "extends itself": Case("extends: §r.yaml\n", r"extend each other in a circle: r\.yaml -> r\.yaml", "extends"),
    "extends in a ring": Case(
        "extends: ring-1.yaml\n", r"^ring-2\.yaml:1:10: .*r\.yaml -> ring-1\.yaml -> ring-2\.yaml"
    ),
    "extends nothing that is": Case("extends: §basis.yaml\n", "no file 'basis.yaml'", "extends"),
    "extends one of several that is not": Case("extends:\n- base.yaml\n- §bas.yaml\n", "no file 'bas.yaml'", "extends"),
    "extends what is above": Case("extends: §../base.yaml\n", "outside of the folder", "extends"),
    "extends what is above, further in": Case("extends: sub/deeper.yaml\n", r"^sub/deeper\.yaml:1:10: .*outside"),
    "extends a whole path": Case("extends: §/etc/passwd\n", "by its path from this one", "extends"),
    "extends what is at home": Case("extends: §~/r.yaml\n", "by its path from this one", "extends"),
    "extends through a link": Case("extends: §link.yaml\n", "outside of the folder", "extends"),
    "extends a number": Case("extends: §3\n", "name of a file.*3", "extends"),
    "extends a broken file": Case("extends: broken.yaml\n", r"^broken\.yaml:1:8: .*not closed"),
    "extends a file with a fault": Case("extends: base.yaml\n", r"^base\.yaml:8:8: units: .*48 channels"),
    "output above": Case(f"{RENDER}output: §../x\n", "'../x'.*-o", "output"),
    "output above, further in": Case(f"{RENDER}output: §a/../../x\n", "-o", "output"),
    "output as a whole path": Case(f"{RENDER}output: §/tmp\n", "folder in the current one.*-o", "output"),
    "output at home": Case(f"{RENDER}output: §~/x\n", "-o", "output"),
    "output here": Case(f"{RENDER}output: §.\n", "-o", "output"),
    "output by a number": Case(f"{RENDER}output: §5\n", "A text is needed, but 5", "output", schema=True),
    "set without a value": Case(RENDER, r"^--set takes key=value.*'steps'", settings=("steps",)),
    "set without a key": Case(RENDER, r"^--set takes key=value.*'=3'", settings=("=3",)),
    "set with an empty key inside": Case(RENDER, r"^--set takes key=value", settings=("model..mean=3",)),
    "set no YAML": Case(SHEET, "list is not closed", settings=("units=[1,2",)),
    "set a tag": Case(RENDER, "no tags", settings=("title=!!python/name:os.system x",)),
    "set extends": Case(RENDER, "stands in a file only", settings=("extends=base.yaml",)),
    "set into a text": Case(RENDER, "'x' is to stand in a mapping.*set the whole", settings=("objective.x=3",)),
    "set an unknown field": Case(RENDER, "render has no such field.*'steps'", schema=True, settings=("step=3",)),
    "set an unknown field inside": Case(
        RENDER, "model has no such field.*'mean'", schema=True, settings=("model.maen=[0,0,0]",)
    ),
    "set a wrong type": Case(RENDER, "A whole number.*'many'", schema=True, settings=("steps=many",)),
    "set a wrong seed": Case(RENDER, "from 0.*-1", schema=True, settings=("seed=-1",)),
    "set a wrong layer": Case(RENDER, "'conv9'.*Did you mean", settings=("objective=conv9:1",)),
    "set nothing": Case(RENDER, "A text is needed, but nothing", schema=True, settings=("objective=",)),
}
