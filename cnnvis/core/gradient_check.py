"""How well gradients agree with finite differences."""

from __future__ import annotations

from dataclasses import dataclass

from cnnvis.core.errors import InvalidInputError


@dataclass(frozen=True, slots=True)
class GradientCheck:
    """Errors of the gradients of sampled weights, measured against central finite differences in float64.

    Parameters
    ----------
    max_error, median_error : float
        Relative to the larger of the two numbers compared; NaN where nothing could be compared.
    n_checked : int
        Weights compared.
    n_excluded : int
        Weights left out, because a ReLU or a maximum switches within every step tried: the function has a corner there
        and no derivative to compare with.
    step : float
        Smallest step of the differences compared.
    """

    max_error: float
    median_error: float
    n_checked: int
    n_excluded: int
    step: float

    def __post_init__(self) -> None:
        if self.n_checked < 0 or self.n_excluded < 0 or not self.step > 0:
            raise InvalidInputError(
                f"A GradientCheck counts from 0 and has a positive step, got {self.n_checked} checked, "
                f"{self.n_excluded} excluded, step {self.step}."
            )

    @property
    def caption(self) -> str:
        """One line for a report, a picture or a file."""
        left_out = (
            f"{self.n_excluded} left out, where a ReLU or maximum switches" if self.n_excluded else "none left out"
        )
        if not self.n_checked:
            return f"gradients not checked against float64 differences: {left_out}"
        return (
            f"gradients checked against float64 differences: relative error at most {self.max_error:.1e}, median "
            f"{self.median_error:.1e}, {self.n_checked} weights ({left_out}), steps down to {self.step:g}"
        )

    def __str__(self) -> str:
        return self.caption
