import json
from collections.abc import Callable

import pytest

from osteo_edge.bundle import Bundle
from osteo_edge.cli import run


def test_the_card_and_every_file_are_shown(bundle: Bundle, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["inspect", str(bundle.path)]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    for part in (
        f"{bundle.path}: every file is as its manifest says\n",
        "model.tflite",
        "MODEL_CARD.md",
        bundle.manifest.model.sha256[:16],
        "Limitations",
    ):
        assert part in printed.out
    assert bundle.manifest.intended_use in " ".join(printed.out.split())


def test_json_is_the_manifest(bundle: Bundle, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["inspect", str(bundle.path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == bundle.manifest.to_dict()


def test_an_altered_file_is_one_line(bundle: Bundle, capsys: pytest.CaptureFixture[str]) -> None:
    (bundle.path / "MODEL_CARD.md").write_text("Works on everyone.")
    assert run(["inspect", str(bundle.path)]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "MODEL_CARD.md: altered since the bundle was written" in printed.err


def test_a_model_that_no_runtime_loads_can_still_be_inspected(golden_bundle: Callable[..., Bundle]) -> None:
    assert run(["inspect", str(golden_bundle(model=b"not a model").path)]) == 0
