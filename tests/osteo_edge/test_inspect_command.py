import json
from collections.abc import Callable
from pathlib import Path

import pytest

from osteo_edge.bundle import Bundle
from osteo_edge.cli import run
from osteo_edge.manifest import CARD_NAME
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


def test_card_and_metadata_are_written_with_what_was_said(
    bundle: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    card, metadata, about = tmp_path / "out" / "CARD.md", tmp_path / "out" / "metadata.json", tmp_path / "about.toml"
    about.write_text('users = "Radiographers"\nauthors = "A. Maker"')
    options = ["--card", str(card), "--metadata", str(metadata), "--about", str(about)]
    assert run(["inspect", str(bundle.path), *options]) == 0
    assert capsys.readouterr().out == f"written: {card}\nwritten: {metadata}\n"
    assert "- Users: Radiographers" in card.read_text("utf-8").splitlines()
    assert json.loads(metadata.read_text("utf-8"))["authors"] == "A. Maker"
    assert run(["inspect", str(bundle.path)]) == 0  # the bundle is as it was


def test_a_card_without_a_statement_is_that_of_the_bundle(bundle: Bundle, tmp_path: Path) -> None:
    assert run(["inspect", str(bundle.path), "--card", str(tmp_path / "CARD.md")]) == 0
    assert (tmp_path / "CARD.md").read_bytes() == (bundle.path / CARD_NAME).read_bytes()


def test_json_stays_alone_on_standard_output_beside_files(
    bundle: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["inspect", str(bundle.path), "--json", "--metadata", str(tmp_path / "m.json")]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out) == bundle.manifest.to_dict()
    assert printed.err == f"written: {tmp_path / 'm.json'}\n"


def test_what_cannot_be_asked_of_it_is_refused_and_writes_nothing(
    bundle: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    about, before = tmp_path / "about.toml", sorted(bundle.path.iterdir())
    about.write_text('user = "Radiographers"')
    card = str(tmp_path / "CARD.md")
    for options, code, told in (
        (["--about", str(about)], 2, "--about needs --card or --metadata"),
        (["--card", str(bundle.path / "CARD.md")], 2, "lies in the bundle"),
        (["--metadata", str(bundle.path / "metadata.json")], 2, "lies in the bundle"),
        (["--card", card, "--metadata", card], 2, "cannot be both"),
        (["--card", card, "--about", str(tmp_path / "gone.toml")], 2, "does not exist"),
        (["--card", card, "--about", str(about)], 1, "unknown field 'user'"),
        (["--card", str(about / "CARD.md")], 1, "the model card cannot be written"),
    ):
        assert run(["inspect", str(bundle.path), *options]) == code, options
        assert told in capsys.readouterr().err
    assert sorted(bundle.path.iterdir()) == before
    assert not Path(card).exists()


def test_a_damaged_bundle_gets_no_card(bundle: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle.model_path.write_bytes(b"another")
    assert run(["inspect", str(bundle.path), "--card", str(tmp_path / "CARD.md")]) == 1
    assert "altered since the bundle was written" in capsys.readouterr().err
    assert not (tmp_path / "CARD.md").exists()
