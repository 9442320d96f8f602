"""Locked mode: a device that holds trusted keys uses bundles alone that one of them has signed.

The keys lie in a folder that the clinic's users cannot write, such as `/etc/osteo-edge/trusted-keys`, one `.pub` file
each. The folder alone locks: an empty one trusts nobody.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from osteo_edge.errors import BundleError, OsteoEdgeError

if TYPE_CHECKING:
    from osteo_edge.bundle import Bundle
    from osteo_edge.signature import PublicKey

SYSTEM: Final = Path("/etc/osteo-edge/trusted-keys")
VARIABLE: Final = "OSTEO_EDGE_TRUSTED_KEYS"
"""Names the folder where there is no `SYSTEM`, as on Android; it cannot take the place of that one."""


def trusted_folder() -> Path | None:
    """The folder of trusted keys, None where the device is not locked.

    What stands in its place locks the device too: a file, a link that leads nowhere, a folder that cannot be read.
    On Android there is no `SYSTEM`, and an app that is refused a look at it is not locked by that.
    """
    named = os.environ.get(VARIABLE)
    if sys.platform != "android" and _is_something(SYSTEM):
        return SYSTEM
    return Path(named) if named else None


def trusted_keys(folder: Path) -> tuple[PublicKey, ...]:
    """The keys in a folder, in order of their names; `OsteoEdgeError` if it or one of them cannot be read."""
    from osteo_edge.signature import read_public_key

    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix == ".pub")
    except OSError as error:
        raise OsteoEdgeError(
            f"{folder}: trusted keys cannot be read ({error.strerror or error}); no model is trusted until they can"
        ) from error
    return tuple(read_public_key(path) for path in paths)


def require_trusted(bundle: Bundle) -> PublicKey | None:
    """Whose key has signed the bundle; None where the device is not locked.

    `BundleError` where it is, and none of the trusted keys has.
    """
    folder = trusted_folder()
    if folder is None:
        return None
    from osteo_edge.signature import verify  # what a device that is not locked does without

    try:
        return verify(bundle, trusted_keys(folder))
    except BundleError:
        raise
    except OsteoEdgeError as error:  # a key that cannot be read, or nothing installed to verify with
        raise BundleError(str(error)) from error


def _is_something(path: Path) -> bool:
    """Whether there is anything of this name; true where that cannot be found out."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True
