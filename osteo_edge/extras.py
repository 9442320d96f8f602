"""Optional packages: loaded when first needed, quietly, and named with their extra when they are missing."""

import importlib
from collections.abc import Sequence
from types import ModuleType

from osteo_edge.errors import MissingExtraError
from osteo_edge.quiet import native_messages_held


def load_extra(modules: Sequence[str], *, feature: str, package: str, extra: str) -> list[ModuleType]:
    """Import `modules`; `MissingExtraError` says that `feature` needs `package` from `extra` if one is not there."""
    try:
        with native_messages_held():
            return [importlib.import_module(module) for module in modules]
    except ModuleNotFoundError as error:
        raise MissingExtraError(feature, package, extra) from error
