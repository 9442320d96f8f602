"""What a version is asked before it is used; the version is a script here that tells what it was asked."""

import json
import shlex
import shutil
import sys
from pathlib import Path

import pytest

from osteo_edge.bundle import Bundle
from osteo_edge.edge_app.drawn_film import DRAWN_FILM
from osteo_edge.edge_app.pi.kit import KnownAnswer
from osteo_edge.edge_app.pi.self_check import FILM, check_version
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.trust import VARIABLE
from tests.signing import Signer

KNOWN = KnownAnswer(score=0.75, tolerance=0.1, runtime="LiteRT 2.3.0")
ANSWERS_ANY_FILM = """\
#!/bin/sh
case "$*" in
    doctor*) echo '{}' ;;
    *"--any-film --bone elbow") echo '{"score": 0.7}' ;;
    *--any-film) echo '{"score": 0.75}' ;;
    *) echo '{"score": null}' ;;
esac
"""
SCREENS = """\
#!/bin/sh
case "$1" in
    doctor) echo '{{}}' ;;
    *) exec {python} -m osteo_edge "$@" ;;
esac
"""


@pytest.fixture
def version(tmp_path: Path) -> Path:
    """A version whose model refuses the drawn film unless it is asked to answer any."""
    program = tmp_path / "bin" / "osteo-edge"
    program.parent.mkdir()
    program.write_text(ANSWERS_ANY_FILM, "utf-8")
    program.chmod(0o755)
    (tmp_path / "bundle").mkdir()
    return tmp_path


def test_a_model_that_knows_its_films_is_asked_to_answer_the_drawn_one(version: Path) -> None:
    (version / "bundle" / "manifest.json").write_text(json.dumps({"familiarity": {"threshold": 1.5}}), "utf-8")
    assert check_version(version, KNOWN) == 0.75


def test_a_model_of_several_bones_is_told_which_one_to_take_the_drawn_film_for(version: Path) -> None:
    router = {"heads": [{"bone": "elbow"}, {"bone": "wrist"}]}
    (version / "bundle" / "manifest.json").write_text(json.dumps({"familiarity": {}, "router": router}), "utf-8")
    assert check_version(version, KNOWN) == 0.7


@pytest.mark.parametrize(
    "manifest", ["{}", '{"router": 3}', '{"router": {}}', '{"familiarity": null}', "[]", "no manifest", None]
)
def test_others_are_not_since_older_versions_know_no_such_option(version: Path, manifest: str | None) -> None:
    if manifest is not None:
        (version / "bundle" / "manifest.json").write_text(manifest, "utf-8")
    with pytest.raises(OsteoEdgeError, match="it gives no number for the drawn film"):
        check_version(version, KNOWN)


def test_on_a_locked_device_a_version_with_an_unsigned_model_does_not_work(
    bundle: Bundle, signer: Signer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys, version = tmp_path / "keys", tmp_path / "version"
    program, film = version / "bin" / "osteo-edge", version / FILM
    for place in (keys, program.parent, film.parent):
        place.mkdir(parents=True)
    program.write_text(SCREENS.format(python=shlex.quote(sys.executable)), "utf-8")
    program.chmod(0o755)
    shutil.copy(DRAWN_FILM, film)
    shutil.copy(signer.public, keys)
    (version / "bundle").symlink_to(bundle.path)
    monkeypatch.setenv(VARIABLE, str(keys))
    any_score = KnownAnswer(score=0.5, tolerance=1.0, runtime="LiteRT 2.3.0")
    with pytest.raises(OsteoEdgeError, match="bundle: is not signed"):
        check_version(version, any_score)
    signer.sign(bundle)
    assert 0.0 <= check_version(version, any_score) <= 1.0
