from pathlib import Path

import pytest

from osteo_edge.errors import OsteoEdgeError
from osteo_edge.lock_file import Pin, read_lock

LOCK = f"""\
# a comment
kivy-garden==0.1.5 ; python_full_version < '3.14' and sys_platform == 'linux' \\
    --hash=sha256:{"a" * 64} \\
    --hash=sha256:{"b" * 64}
    # via kivy
Requests==2.34.2 \\
    --hash=sha256:{"c" * 64}
    # via
    #   setup.cfg
    #   kivy-garden
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "lock.txt"
    path.write_text(text, "utf-8")
    return path


def test_a_lock_is_read_with_versions_markers_hashes_and_who_asks(tmp_path: Path) -> None:
    marker = "python_full_version < '3.14' and sys_platform == 'linux'"
    assert read_lock(written(tmp_path, LOCK)) == (
        Pin("kivy-garden", "0.1.5", marker, ("a" * 64, "b" * 64), ("kivy",)),
        Pin("requests", "2.34.2", "", ("c" * 64,), ("setup-cfg", "kivy-garden")),
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("requests==1.0\n", "line 1, requests, has no hash"),
        (f"requests==1.0 \\\n    --hash=sha256:{'a' * 63}\n", "line 2 is no SHA-256"),
        (f"requests==1.0 \\\n    --hash=md5:{'a' * 32}\n", "line 2 is no SHA-256"),
        (f"requests>=1.0 \\\n    --hash=sha256:{'a' * 64}\n", "line 1 pins no version"),
        ("requests @ https://index.example/requests.whl\n", "line 1 pins no version"),
        ("--index-url https://index.example/simple\n", "line 1 pins no version"),
        ("# nothing\n", "pins nothing"),
    ],
)
def test_what_would_be_installed_unchecked_is_refused(text: str, problem: str, tmp_path: Path) -> None:
    with pytest.raises(OsteoEdgeError, match=f"{problem}.*python -m osteo_edge.locks"):
        read_lock(written(tmp_path, text))


def test_no_lock_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(OsteoEdgeError, match=r"no.txt: cannot be read .*locks/"):
        read_lock(tmp_path / "no.txt")
