"""What every screen shows while the model in use has learned from drawn films; apart, since it is needed first."""

from typing import Final

MARK: Final = "Demonstration: must not be used on patients"
"""A message to be translated; `wording.PHANTOM_USE` says it at length."""

FALLEN_BACK: Final = "The chosen model cannot be used. The demonstration is shown instead: install the model again."
"""A message to be translated, before what is wrong with the model."""
