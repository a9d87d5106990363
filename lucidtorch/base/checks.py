"""Checks of the numbers that a word of the notation takes."""

from __future__ import annotations

import math
from typing import TypeGuard

from lucidtorch.base.errors import BadInputError


def is_whole(value: object) -> TypeGuard[int]:
    """Say whether something is a whole number, and no truth value.

    Args:
        value: What was given.

    Returns:
        Whether it is.
    """
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(value: object) -> TypeGuard[float]:
    """Say whether something is a finite number, and no truth value.

    Args:
        value: What was given.

    Returns:
        Whether it is.
    """
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def check_number(value: object, what: str, *, low: float, whole: bool = False, high: float = math.inf) -> None:
    """Refuse an argument that is no fitting number.

    Args:
        value: What was given.
        what: The call and its argument, for the message.
        low: The smallest number that fits.
        whole: Whether it must be a whole number.
        high: The largest number that fits.

    Raises:
        BadInputError: It does not fit.
    """
    if not is_number(value) or not low <= value <= high or (whole and not is_whole(value)):
        name = "a whole number" if whole else "a number"
        end = "" if high == math.inf else f" to {high:g}"
        raise BadInputError(f"{what} takes {name} from {low:g}{end}, but {value!r} was given.")


def whole(value: object, what: str) -> int:
    """Take a whole number from 1.

    Args:
        value: What was given.
        what: The call and its argument, for the message.

    Returns:
        The number.

    Raises:
        BadInputError: It is none.
    """
    if not is_whole(value) or value < 1:
        raise BadInputError(f"{what} takes a whole number from 1, but {value!r} was given.")
    return value


def finite(value: object, what: str) -> float:
    """Take a number.

    Args:
        value: What was given.
        what: The call and its argument, for the message.

    Returns:
        The number.

    Raises:
        BadInputError: It is none, or not finite.
    """
    if not is_number(value):
        raise BadInputError(f"{what} takes a number, but {value!r} was given.")
    return float(value)


def positive(value: object, what: str) -> float:
    """Take a number above 0.

    Args:
        value: What was given.
        what: The call and its argument, for the message.

    Returns:
        The number.

    Raises:
        BadInputError: It is none, or not above 0.
    """
    number = finite(value, what)
    if number <= 0:
        raise BadInputError(f"{what} takes a positive number, but {value!r} was given.")
    return number
