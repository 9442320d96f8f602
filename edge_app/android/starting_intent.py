"""What the app was started with."""

from typing import Final

TOLD: Final = "org.osteoedge.app.Told"
TEST_EXTRA: Final = "osteo_edge_test"
"""The boolean extra that asks for the built-in test: anybody may ask, since it touches no data of the clinic."""


def wants_test() -> bool:
    """Whether the intent that started the app asks for the built-in test; to be called on the main thread."""
    from jnius import autoclass

    return bool(autoclass(TOLD).isTestWanted())
