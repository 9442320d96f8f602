"""A number within bounds on the command line; NaN, which passes every comparison in `click.FloatRange`, is refused."""

import math
from typing import Any

import click


class FiniteRange(click.FloatRange):
    """`click.FloatRange` for finite numbers: `nan`, and `inf` where no bound stops it, are usage errors.

    >>> FiniteRange(0, 1).convert("0.25", None, None)
    0.25
    """

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number; `click.BadParameter` for what is none, is not finite, or lies outside the bounds."""
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value} is not a finite number.", param, ctx)
        return number
