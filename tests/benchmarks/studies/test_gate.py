import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from osteo_edge.benchmarks.measuring.environment import Environment
from osteo_edge.benchmarks.studies import gate_pictures
from osteo_edge.benchmarks.studies.gate import (
    CHECKS,
    KNEE_SCREENING,
    NOT_READABLE,
    PLAIN_SCREENING,
    GateStudy,
    Verdict,
    gate_study,
    judge,
    measure_times,
)
from osteo_edge.benchmarks.studies.gate_pictures import (
    CHOSEN,
    DRAWN,
    FULL_SIZE,
    REPORTED,
    Picture,
    by_part,
    knee_films,
    other_pictures,
    spoilt,
)
from osteo_edge.benchmarks.studies.spoilt_films import KINDS
from osteo_edge.errors import DatasetError
from osteo_edge.image_quality import measure_quality
from osteo_edge.split import Split, SplitRow
from osteo_edge.train.phantoms import draw_phantom

ENVIRONMENT = Environment("a CPU", 2, 0.1, "Linux", "3.11", "LiteRT")
QUALITY = measure_quality(np.zeros((64, 64), np.float32))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve phantoms of two classes as knees, one of them twice; one of them as an original; a page; a broken file."""
    root = tmp_path_factory.mktemp("data")
    for label, t_score in (("normal", 0.5), ("osteoporosis", -3.5)):
        folder = root / "knees" / "images" / label
        folder.mkdir(parents=True)
        for number in range(6):
            film = draw_phantom(t_score, size=256, seed=6_500_000 + number).pixels
            cv2.imwrite(str(folder / f"{number}.png"), film)
    (root / "knees" / "images" / "normal" / "copy.png").write_bytes((folder.parent / "normal" / "0.png").read_bytes())
    for name in ("knees/full_size/normal", "ood/pages", "dicom", "mura_layout"):
        (root / name).mkdir(parents=True)
    (root / "knees" / "full_size" / "normal" / "0.png").write_bytes((folder / "0.png").read_bytes())
    page = np.full((600, 600), 255, np.uint8)
    page[::40] = page[1::40] = page[:, ::25] = 0
    cv2.imwrite(str(root / "ood" / "pages" / "page.png"), page)
    (root / "dicom" / "broken.dcm").write_bytes(b"no film")
    return root


def row(name: str, part: str, sha256: str, group: str = "", reason: str = "") -> SplitRow:
    return SplitRow(name, "normal", group or name, part, sha256 * 64, reason)


def test_each_content_is_in_one_part_once() -> None:
    split = Split((
        row("a", "train", "2"),
        row("a-again", "excluded", "2", group="a", reason="exact copy of a"),
        row("b", "validation", "3"),
        row("c", "test", "1"),
        row("d", "excluded", "0", group="d", reason="label conflict"),
        row("d-again", "excluded", "0", group="d", reason="label conflict"),
        row("gone", "excluded", "", reason="cannot be read"),
    ))  # fmt: skip
    assert by_part(split) == {CHOSEN: ("a",), REPORTED: ("d", "c", "b")}


def test_the_knees_are_split_by_the_projects_own_command(data: Path, tmp_path: Path) -> None:
    found = knee_films(data, tmp_path)
    assert {kind: len(paths) for kind, paths in found.items()} == {CHOSEN: 8, REPORTED: 4}
    assert all(path.is_file() for paths in found.values() for path in paths)


def test_a_folder_without_knees_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="has no knees/images"):
        knee_films(tmp_path, tmp_path)
    result = CliRunner().invoke(gate_study, [str(tmp_path)])
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)


def test_other_pictures_are_found_by_their_folders(data: Path) -> None:
    assert {kind: [path.name for path in paths] for kind, paths in other_pictures(data).items()} == {
        FULL_SIZE: ["0.png"],
        "pages": ["page.png"],
        "dicom": ["broken.dcm"],
    }


def test_a_film_is_spoilt_in_every_way(data: Path) -> None:
    films = (data / "knees" / "images" / "normal" / "0.png",)
    found = [(picture.kind, picture.strength) for picture in spoilt(films)]
    assert found == [(kind, strength) for kind in KINDS for strength in range(1, 6)]


def test_what_cannot_be_read_and_what_is_refused_has_a_reason_and_a_knee_has_none(data: Path) -> None:
    def verdict(path: Path) -> Verdict:
        return judge(Picture("kind", path.name, path.read_bytes()))

    broken, page = verdict(data / "dicom" / "broken.dcm"), verdict(data / "ood" / "pages" / "page.png")
    knee = verdict(data / "knees" / "images" / "normal" / "1.png")
    assert (broken.reason, broken.quality) == (NOT_READABLE, None)
    assert page.reason == "a page of text or a drawing"
    assert (knee.reason, knee.has_knee) == (None, True)


def study_of(*verdicts: Verdict, times_ms: dict[str, tuple[float, ...]]) -> GateStudy:
    return GateStudy(ENVIRONMENT, "data", verdicts, times_ms)


def verdicts(kind: str, reasons: list[str | None], strength: int | None = None, **changes: bool) -> list[Verdict]:
    has_knee = changes.get("has_knee", True)
    return [Verdict(kind, strength, f"{n}.png", reason, has_knee, QUALITY) for n, reason in enumerate(reasons)]


@pytest.mark.parametrize(
    ("refused", "drawn", "checks_ms", "passed"),
    [(1, 0, 1.0, [True, True, True, True]), (2, 1, 11.0, [False, False, False, False])],
)
def test_the_bounds_are_of_knees_drawn_films_and_time(
    refused: int, drawn: int, checks_ms: float, passed: list[bool]
) -> None:
    found = study_of(
        *verdicts(REPORTED, ["the picture is blurred"] * refused + [None] * (20 - refused)),
        *verdicts(DRAWN, ["noise"] * drawn + [None] * 5),
        times_ms={CHECKS: (checks_ms,) * 5, KNEE_SCREENING: (100.0,) * 5, PLAIN_SCREENING: (5.0,) * 5},
    )
    assert [check.passed for check in found.checks] == passed


def test_rows_count_reasons_and_the_search_apart() -> None:
    found = study_of(
        *verdicts("noisy", [None, "noise"], strength=2, has_knee=False),
        *verdicts("noisy", [None], strength=1),
        times_ms={CHECKS: (1.0,), KNEE_SCREENING: (100.0,)},
    )
    first, second = found.rows
    assert (first["strength"], first["refused"]["value"], first["reasons"]) == (1, 0, {})
    assert (second["refused"]["value"], second["with_search"]["value"]) == (0.5, 1)
    assert second["reasons"] == {"noise": 1}


def test_times_are_of_every_round(data: Path) -> None:
    told: list[int] = []
    films = sorted((data / "knees" / "images" / "normal").glob("[12].png"))
    found = measure_times(films, 2, None, lambda done, total: told.append(done))
    assert {name: len(values) for name, values in found.items()} == {CHECKS: 2, KNEE_SCREENING: 2, PLAIN_SCREENING: 2}
    assert told == [1, 2]
    assert min(min(values) for values in found.values()) > 0


@pytest.mark.slow
def test_the_command_tells_every_kind(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate_pictures, "KINDS", KINDS[:2])
    words = [str(data), "--films", "1", "--phantoms", "1", "--rounds", "1", "--json"]
    result = CliRunner().invoke(gate_study, words)
    found = json.loads(result.stdout)
    kinds = list(dict.fromkeys(row["kind"] for row in found["rows"]))
    assert kinds[:3] == [CHOSEN, REPORTED, DRAWN]
    assert kinds[-2:] == list(KINDS[:2])
    assert {check["name"].split(",")[0] for check in found["checks"]} >= {"refused"}
    assert set(found["ranges"]) == {CHOSEN, REPORTED}
    assert len(found["verdicts"]) == 12 + 3 + 3 + 2 * 5
