import json
from collections.abc import Callable

import pytest

from osteo_edge.bundle import Bundle
from osteo_edge.cli import run
from osteo_edge.wording import FAILED_CHECK


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


def test_a_bundle_that_failed_its_check_is_shown_and_says_so_first(
    failed_bundle: Bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["inspect", str(failed_bundle.path)]) == 0
    assert capsys.readouterr().out.startswith(
        f"FAILED: {FAILED_CHECK} In detail: decisions agree on 80.0% of 40 images, 98.0% are asked for.\n"
    )
    assert run(["inspect", str(failed_bundle.path), "--json"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["parity"]["verdict"]["passed"] is False
    assert FAILED_CHECK in printed.err
