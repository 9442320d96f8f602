import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from osteo_edge.benchmarks.cascades import measurement
from osteo_edge.benchmarks.cascades.figures import cascade_figures
from osteo_edge.bundle import Bundle
from osteo_edge.hashing import sha256_file
from osteo_edge.manifest import Manifest, Parent
from tests.benchmarks.cascades.cascade_bundles import PAIRS, ByBrightness, recipe, write_cascades
from tests.film_table import FilmTable, write_film_table


@pytest.fixture
def limbs(draw_film: Callable[..., Path], tmp_path: Path) -> FilmTable:
    """Three studies of two films each for each bone and label, all of them in the test part."""
    films = []
    for place, pair in enumerate(PAIRS):
        bone, label = pair.split()
        for number in range(6):
            name = draw_film(f"{pair}-{number}.png", height=300, brightness=0.1 + 0.25 * place + 0.01 * number).name
            study = f"{bone}-{label}-{number // 2}"
            films.append({"path": name, "label": label, "bone": bone, "study": study, "patient": study})
    return write_film_table(tmp_path, films)


@pytest.fixture
def measure(
    golden_bundle: Callable[..., Bundle], limbs: FilmTable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Result]:
    """Write both cascades and run the command on them; `blind` makes the shared model see no abnormality."""

    def run(*options: str, blind: bool = False, **changes: Any) -> Result:
        def answerer(bundle: Bundle, threads: int | None = None) -> ByBrightness:
            return ByBrightness(bundle, blind and bundle.path.name == "shared")

        monkeypatch.setattr(measurement, "open_interpreter", answerer)
        shared, separate = write_cascades(golden_bundle, tmp_path, **changes)
        words = [shared, separate, limbs.table, "--split", limbs.split, "--runs", 3, *options]
        return CliRunner().invoke(cascade_figures, [str(word) for word in words])

    return run


def test_both_are_shown_by_bone_with_size_time_and_verdicts(measure: Callable[..., Result]) -> None:
    result = measure()
    for text in ("shared: 12 studies of the test part", "separate: 12 studies", "Routed to their own bone: 1.000"):
        assert text in result.output
    for text in ("router", "all separate", "207.20", "published by others: 8 x 25.9 MB", "times smaller than the sep"):
        assert text in result.output
    assert "PASS  MobileNetV2 1.0, int8, all heads: size, MB: 0.0" in result.output
    assert "PASS  mean AUROC over the bones, shared less separate: 0.000 [0.000, 0.000] (n = 12)" in result.output
    assert "PASS  training time, shared / all separate: 0.207" in result.output
    assert "latency of the cascade" not in result.output
    assert "Warning: not the split file" in result.stderr
    assert result.exit_code == 0


def test_json_holds_every_figure_and_every_run(
    measure: Callable[..., Result], tmp_path: Path, limbs: FilmTable
) -> None:
    result = measure("--json", "--single", str(tmp_path / "separate" / "hand"))
    plain = json.loads(result.stdout)
    assert {name: len(runs) for name, runs in plain["runs"].items()} == {"shared": 3, "separate": 3, "single": 3}
    assert plain["training_s"] == {"shared": 6.0, "separate": 9.0 + 10.0 + 10.0}
    assert plain["separate_bytes"] == sum(plain["model_bytes"][name] for name in ("router", "elbow", "hand"))
    assert plain["times_smaller_than_published"] == pytest.approx(207.2e6 / plain["model_bytes"]["shared"])
    assert plain["mean_auroc"]["routed"]["before"]["value"] == 1.0
    assert plain["mean_auroc"]["bone given"]["after"]["value"] == 1.0
    assert plain["answers"]["shared"]["routing"]["counts"]["hand"] == {"hand": 6}
    names = [check["name"] for check in plain["checks"]]
    assert any(name.startswith("latency of the cascade") for name in names)
    assert (plain["studies"], plain["films"]) == (12, 24)


def test_a_shared_model_that_answers_worse_misses_the_bound(measure: Callable[..., Result]) -> None:
    result = measure("--json", blind=True)
    (check,) = [check for check in json.loads(result.stdout)["checks"] if check["name"].startswith("mean AUROC")]
    assert check["value"] < -0.1
    assert not check["passed"]
    assert result.exit_code == 1


def test_what_is_not_known_is_held_to_nothing(measure: Callable[..., Result]) -> None:
    """Neither a training that recorded no time, nor a network without a bound on its size."""
    parent = Parent("a" * 64, recipe(None, "custom_cnn"))
    result = measure(parent=parent)
    assert "not recorded" in result.output
    assert [line for line in result.output.splitlines() if line.startswith(("PASS", "FAIL"))] == [
        "PASS  mean AUROC over the bones, shared less separate: 0.000 [0.000, 0.000] (n = 12), at least -0.01"
    ]


def test_the_split_of_the_training_is_not_warned_of_and_a_spoilt_film_is_left_out_of_both(
    measure: Callable[..., Result], limbs: FilmTable, manifest: Manifest, tmp_path: Path
) -> None:
    (tmp_path / "hand normal-0.png").write_bytes(b"spoilt")
    result = measure("--json", data=replace(manifest.data, split_sha256=sha256_file(limbs.split)))
    assert "Warning" not in result.stderr
    plain = json.loads(result.stdout)
    assert (plain["studies"], plain["films"], len(plain["skipped"])) == (12, 23, 1)


def test_a_folder_that_is_no_cascade_is_one_line(
    measure: Callable[..., Result], limbs: FilmTable, bundle: Bundle
) -> None:
    words = [str(bundle.path), str(limbs.table.parent), str(limbs.table), "--split", str(limbs.split)]
    result = CliRunner().invoke(cascade_figures, words)
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert "answers for one bone only" in result.stderr
