"""The key that a release is signed with: named by the environment, tried before the build, and written nowhere."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from osteo_edge.errors import OsteoEdgeError

KEYSTORE: Final = "P4A_RELEASE_KEYSTORE"
KEYSTORE_PASSWORD: Final = "P4A_RELEASE_KEYSTORE_PASSWD"
ALIAS: Final = "P4A_RELEASE_KEYALIAS"
ALIAS_PASSWORD: Final = "P4A_RELEASE_KEYALIAS_PASSWD"
NAMES: Final = (KEYSTORE, KEYSTORE_PASSWORD, ALIAS, ALIAS_PASSWORD)
"""Python-for-android's own names: Gradle reads the passwords from there, and they stand in no file."""
TRIES_S: Final = 120


@dataclass(frozen=True)
class Key:
    """Where the key is, without its passwords."""

    keystore: Path
    alias: str


def find_key(environ: Mapping[str, str], project: Path) -> Key:
    """The key that the environment names; `OsteoEdgeError` if anything of it is missing, or it lies in the project."""
    missing = [name for name in NAMES if not environ.get(name)]
    if missing:
        raise OsteoEdgeError(f"a release is signed: set {' and '.join(missing)} in the environment")
    keystore = Path(environ[KEYSTORE]).expanduser().absolute()
    if project.absolute().resolve() in keystore.resolve().parents:
        raise OsteoEdgeError(f"{keystore}: the key lies in the project, which is handed on; keep it elsewhere")
    if not keystore.is_file() or not os.access(keystore, os.R_OK):
        raise OsteoEdgeError(f"{keystore}: no key that can be read; {KEYSTORE} must name a keystore")
    return Key(keystore, environ[ALIAS])


def try_key(key: Key, environ: Mapping[str, str]) -> None:
    """Have the key sign a request for a certificate, which is thrown away; `OsteoEdgeError` if it cannot.

    The passwords go to keytool by their names in the environment, so that no list of processes shows them.
    """
    home = environ.get("JAVA_HOME")
    keytool = str(Path(home, "bin", "keytool")) if home else shutil.which("keytool", path=environ.get("PATH", ""))
    if keytool is None or not Path(keytool).is_file():
        raise OsteoEdgeError("no keytool to try the key with; install a JDK, and let JAVA_HOME name it")
    command = [keytool, "-J-Duser.language=en", "-certreq", "-keystore", str(key.keystore), "-alias", key.alias]
    passwords = ["-storepass:env", KEYSTORE_PASSWORD, "-keypass:env", ALIAS_PASSWORD]
    try:
        done = subprocess.run(
            [*command, *passwords],
            stdin=subprocess.DEVNULL,  # it asks for the password of a key where that one does not fit
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=TRIES_S,
            env=dict(environ),
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        reason = error.strerror if isinstance(error, OSError) else f"no answer within {TRIES_S} s"
        raise OsteoEdgeError(f"{keytool}: does not run ({reason}); install another JDK") from error
    if done.returncode != 0:
        errors = [line.strip() for line in (done.stdout + done.stderr).splitlines() if "error" in line.lower()]
        reason = errors[-1].rpartition("Exception: ")[2] if errors else f"exit code {done.returncode}"
        raise OsteoEdgeError(
            f"{key.keystore}: the key {key.alias!r} cannot be used ({reason}); see to {', '.join(NAMES)}"
        )
