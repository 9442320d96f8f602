"""The train command: what it tells of what it left out, and what it refuses before any work."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from osteo_edge import cli
from osteo_edge.filters import Filter
from osteo_edge.train import train_command
from osteo_edge.train.config import TrainConfig
from osteo_edge.train.fitting import Fit
from osteo_edge.train.phantoms import write_phantoms
from osteo_edge.train.recipes.presets import PRESETS
from osteo_edge.train.recipes.table import RECIPES
from osteo_edge.train.training import Job


@pytest.mark.tf
def test_an_unreadable_image_in_the_folder_is_reported_counted_and_not_fatal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It gets as far as the weights, which are wrong on purpose, so that nothing is trained here."""
    write_phantoms(tmp_path / "films", per_class=4, size=96)
    (tmp_path / "films" / "phantoms.csv").unlink()
    (tmp_path / "films" / "normal" / "broken.png").write_text("no picture")
    words = ["train", str(tmp_path / "films"), "--out", str(tmp_path / "out"), "--weights", str(tmp_path / "none.h5")]
    assert cli.run(words) == 1
    errors = capsys.readouterr().err
    assert "skipped" in errors
    assert "broken.png" in errors
    assert "Left out 1 of 13 images, 1 of them unreadable" in errors
    assert "none.h5: no such weights file" in errors


@pytest.mark.parametrize("labels", ["normal", "normal,normal", ","])
def test_fewer_than_two_different_labels_are_wrong_usage(
    labels: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["train", str(tmp_path), "--out", str(tmp_path / "out"), "--labels", labels]) == 2
    assert "at least two different labels" in capsys.readouterr().err


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Job]:
    """What the command would have trained, without training it."""
    jobs: list[Job] = []

    def note(job: Job, out: Path, **options: object) -> SimpleNamespace:
        jobs.append(job)
        return SimpleNamespace(is_chief=False, fit=Fit((), 0, False))

    monkeypatch.setattr(train_command, "fit_job", note)
    return jobs


@pytest.fixture
def films(tmp_path: Path) -> Path:
    write_phantoms(tmp_path / "films", per_class=4, size=96)
    return tmp_path / "films"


def _run(films: Path, *words: str) -> int:
    return cli.run(["train", str(films), "--out", str(films.parent / "out"), *words])


def test_options_change_the_file_and_the_file_changes_the_recipe(asked: list[Job], films: Path) -> None:
    file = films.parent / "knee.toml"
    file.write_text('epochs = 7\nmixup = 0.3\nfilters = ["canny"]\n', "utf-8")
    words = ["--recipe", "last-20", "--config", str(file), "--epochs", "9", "--trainable-layers", "all", "--batch-norm"]
    assert _run(films, *words, "--filter", "clahe:3", "--filter", "sharpen") == 0
    (job,) = asked
    assert job.recipe == "last-20"
    assert (job.config.backbone, job.config.learning_rate) == ("efficientnet_b0", 1e-4)
    assert (job.config.epochs, job.config.mixup) == (9, 0.3)
    assert job.config.trainable_layers is None
    assert job.config.freeze_batch_norm is False
    assert job.config.filters == (Filter("clahe", 3.0), Filter("sharpen", 1.0))


def test_without_options_it_is_the_default_recipe(asked: list[Job], films: Path) -> None:
    assert _run(films) == 0
    assert asked[0].config == PRESETS["osteo-edge"].apply(TrainConfig())
    assert (asked[0].strategy, asked[0].resume, asked[0].find_rate) == ("none", True, False)


def test_every_setting_of_an_option_is_a_field_of_the_configuration(asked: list[Job], films: Path) -> None:
    words = [
        "--loss",
        "focal",
        "--focal-gamma",
        "1",
        "--label-smoothing",
        "0.1",
        "--mixup",
        "0.2",
        "--schedule",
        "plateau",
    ]
    more = ["--no-class-weights", "--mixed-precision", "--dropout", "0.4", "--patience", "3", "--batch-size", "4"]
    rest = ["--side", "96", "--alpha", "0.5", "--augmentation", "strong", "--learning-rate", "find", "--no-resume"]
    assert (
        _run(films, "--recipe", "fine-tuned", *words, *more, *rest, "--seed", "5", "--labels", "normal,osteoporosis")
        == 0
    )
    assert asked[0].config == TrainConfig(
        labels=("normal", "osteoporosis"),
        alpha=0.5,
        side_px=96,
        patience=3,
        batch_size=4,
        schedule="plateau",
        loss="focal",
        focal_gamma=1.0,
        class_weights=False,
        label_smoothing=0.1,
        mixup=0.2,
        augmentation="strong",
        dropout=0.4,
        mixed_precision=True,
        seed=5,
    )
    assert asked[0].find_rate
    assert not asked[0].resume


def test_images_with_other_labels_are_left_out_and_told(
    films: Path, asked: list[Job], capsys: pytest.CaptureFixture[str]
) -> None:
    table = films / "phantoms.csv"
    lines = table.read_text("utf-8").splitlines()
    lines[-1] = lines[-1].replace(",osteoporosis,", ",osteoporsis,")
    table.write_text("\n".join(lines), "utf-8")
    assert _run(films, "--json") == 0
    printed = capsys.readouterr()
    assert len(asked[0].dataset.cases) == 11
    assert printed.out == ""
    assert "Left out 1 of 12 images, which have other labels than normal, osteopenia, osteoporosis;" in printed.err


def test_a_recipe_for_workstations_is_sent_to_the_comparison(
    films: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    entry = replace(RECIPES["osteo-edge"], on_device=False)
    monkeypatch.setitem(RECIPES, "classical", entry)
    assert _run(films, "--recipe", "classical") == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "recipe classical: cannot run on a device" in line
    assert "osteo-edge cv --recipe classical" in line


def test_an_ensemble_is_joined_and_not_trained(films: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(films, "--recipe", "ensemble") == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "train two of other recipes, and join them by osteo-edge ensemble" in line


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--recipe", "magic"], "no recipe is called 'magic'"),
        (["--filter", "blur"], "no filter is called 'blur'"),
        (["--filter", "canny:7"], "amount must not be above 1"),
        (["--trainable-layers", "some"], "--trainable-layers"),
        (["--learning-rate", "fast"], "--learning-rate"),
    ],
)
def test_wrong_usage_is_named(words: list[str], message: str, films: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(films, *words) == 2
    assert message in capsys.readouterr().err


def test_the_help_tells_what_the_default_recipe_does(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["train", "--help"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "What of a film the network sees. [default: knees]" in shown
    assert "0 fits the head alone, on frozen features. [default: 0]" in shown


def test_the_help_has_headings_and_leaves_no_option_out(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["train", "--help"]) == 0
    shown = capsys.readouterr().out
    headings = ["Recipe and data:", "Network:", "What is fitted:", "How it is fitted:", "Machine:", "Output:"]
    assert [line for line in shown.splitlines() if line in headings] == headings
    for parameter in train_command.train.params:
        if parameter.param_type_name == "option":
            assert parameter.opts[0] in shown
