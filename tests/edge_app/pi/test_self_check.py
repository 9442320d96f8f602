"""What a version is asked before it is used; the version is a script here that tells what it was asked."""

import json
from pathlib import Path

import pytest

from osteo_edge.edge_app.pi.kit import KnownAnswer
from osteo_edge.edge_app.pi.self_check import check_version
from osteo_edge.errors import OsteoEdgeError

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
