"""The rule for every tensor operation that is followed."""

from __future__ import annotations

from lucidtorch.models.axes.cut_rules import CUT_RULES
from lucidtorch.models.axes.joining import concatenation, elementwise
from lucidtorch.models.axes.operation import Rule
from lucidtorch.models.axes.product_rules import PRODUCT_RULES
from lucidtorch.models.axes.shape_rules import SHAPE_RULES
from lucidtorch.models.axes.sum_rules import SUM_RULES
from lucidtorch.models.axes.window_rules import WINDOW_RULES

RULES: dict[str, Rule] = {
    **SHAPE_RULES,
    **CUT_RULES,
    **WINDOW_RULES,
    **SUM_RULES,
    **PRODUCT_RULES,
    "cat": concatenation,
    **dict.fromkeys(("copy", "hardswish", "hardsigmoid", "_prelu_kernel", "rrelu_with_noise"), elementwise),
}
