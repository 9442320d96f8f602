from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from click.testing import CliRunner

from osteo_edge.benchmarks.studies.familiarity import (
    FOLDS,
    KNEES,
    Seen,
    familiarity_study,
    is_frozen,
    rows_of,
    score_anew,
    score_as_shipped,
    subject_of,
)
from osteo_edge.benchmarks.studies.familiarity_pictures import CHANGED, DRAWN_PER_KIND, STILL_KNEES, drawn
from osteo_edge.bundle import Bundle
from osteo_edge.errors import BundleError, OsteoEdgeError
from osteo_edge.hashing import sha256_file
from osteo_edge.manifest import Manifest, Parent

FEATURES = 60


def seen(kind: str, number: int, embedding: npt.NDArray[np.floating], *, group: str | None = None) -> Seen:
    return Seen(kind, group or f"{kind} {number}", "test", False, embedding.astype(np.float32))


@pytest.fixture(scope="module")
def pictures() -> list[Seen]:
    """A hundred knees, others that lie elsewhere, and knees mirrored, each in the group of its knee."""
    rng = np.random.default_rng(0)
    centre, elsewhere = rng.random(FEATURES) + 1, rng.random(FEATURES) + 1
    knees = [seen(KNEES, number, centre + 0.05 * rng.normal(size=FEATURES)) for number in range(100)]
    others = [seen("other", number, elsewhere + 0.05 * rng.normal(size=FEATURES)) for number in range(20)]
    mirrored = [seen("mirrored", number, knees[number].embedding, group=f"{KNEES} {number}") for number in range(9)]
    return [*knees, *mirrored, *others]


def test_knees_are_accepted_and_others_refused(pictures: list[Seen]) -> None:
    rows = {row.kind: row for row in rows_of(pictures, score_anew(pictures))}
    assert list(rows) == [KNEES, "mirrored", "other"]
    assert rows[KNEES].refused.value <= 0.05
    assert rows[KNEES].refused.n == 100
    assert rows["other"].refused.value == 1.0
    assert rows["other"].auroc is not None
    assert rows["other"].auroc.value == 1.0
    assert (rows[KNEES].auroc, rows["mirrored"].auroc) == (None, None)


def test_what_is_made_of_a_knee_is_scored_by_the_fit_that_did_not_see_it(pictures: list[Seen]) -> None:
    scores = score_anew(pictures)
    for number, one in enumerate(pictures):
        if one.kind == "mirrored":
            assert scores[number] == pytest.approx(scores[int(one.group.split()[1])], abs=1e-4)


def test_what_the_checks_before_refuse_counts_as_refused(pictures: list[Seen]) -> None:
    gated = [replace(one, is_refused=True) if one.kind == KNEES else one for one in pictures]
    row = rows_of(gated, score_anew(gated))[0]
    assert (row.refused_before.value, row.refused.value) == (1.0, 1.0)


def test_too_few_knees_are_one_clear_line(pictures: list[Seen]) -> None:
    with pytest.raises(OsteoEdgeError, match="too few to fit on five times"):
        score_anew(pictures[: 4 * FOLDS])


def test_a_bundle_that_knows_no_films_is_one_clear_line(pictures: list[Seen], bundle: Bundle) -> None:
    with pytest.raises(BundleError, match="knows nothing of the films"):
        score_as_shipped(pictures, bundle)


@pytest.mark.parametrize(("layers", "frozen"), [(0, True), (None, False), (20, False)])
def test_only_frozen_features_have_seen_no_film(layers: int | None, frozen: bool, bundle: Bundle) -> None:
    recipe = {"convert": {}, "parent": {"train": {"trainable_layers": layers}}}
    manifest: Manifest = replace(bundle.manifest, parent=Parent(None, recipe))
    assert is_frozen(Bundle(bundle.path, manifest)) is frozen


def test_the_same_patient_in_two_folders_is_one_subject() -> None:
    assert subject_of(Path("valid/patient02830/study1/image1.png")) == subject_of(Path("2830_0123_WRI.png")) == "2830"
    assert subject_of(Path("00000001_000.png")) == "00000001_000.png"


def test_changed_films_are_pictures_and_others_than_the_film() -> None:
    film = np.random.default_rng(0).random((200, 150), np.float32)
    for change in (*CHANGED.values(), *STILL_KNEES.values()):
        changed = change(film)
        assert min(changed.shape) >= 20
        assert 0 <= changed.min() < changed.max() <= 1
        assert changed.shape != film.shape or np.abs(changed - film).max() > 0.5


def test_drawn_pictures_are_the_same_each_time() -> None:
    first, again = list(drawn()), list(drawn())
    assert [kind for kind, _ in first].count("noise") == DRAWN_PER_KIND
    assert all(0 <= pixels.min() < pixels.max() <= 1 and pixels.dtype == np.float32 for _, pixels in first)
    np.testing.assert_array_equal(first[1][1], again[1][1])


def test_a_model_without_embeddings_is_one_clear_line(bundle: Bundle, tmp_path: Path, film: Path) -> None:
    split = tmp_path / "split.csv"
    (tmp_path / "films" / "normal").mkdir(parents=True)
    picture = film.rename(tmp_path / "films" / "normal" / "a.png")
    split.write_text(f"path,label,group,part,sha256,reason\nnormal/a.png,normal,a,test,{sha256_file(picture)},\n")
    found = CliRunner().invoke(familiarity_study, [str(bundle.path), str(tmp_path / "films"), "--split", str(split)])
    assert found.exit_code == 1
    assert "gives no embedding; train or convert it again" in found.output
