import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from osteo_edge.bundle import read_manifest
from osteo_edge.errors import BundleError
from osteo_edge.manifest import Manifest, Parity
from osteo_edge.strict import FieldError

GOLDEN = Path(__file__).resolve().parent.parent / "data" / "manifest.json"
OLDER: dict[str, Any] = json.loads(GOLDEN.read_text("utf-8"))
"""Of a bundle from before models gave embeddings."""
FAMILIARITY = {
    "file": "familiarity.npz",
    "threshold": 1.8,
    "fitted_on": "the train part",
    "fitted_images": 102,
    "chosen_on": "the validation part",
    "chosen_images": 34,
    "refused_share": 0.0,
}
PLAIN: dict[str, Any] = {**OLDER, "outputs": {**OLDER["outputs"], "embedding": 2}, "familiarity": FAMILIARITY}
FREE_KEYS = ("parent.recipe", "metrics", "data.counts", "files")
OUT_OF_RANGE = [
    ("schema", 0),
    ("model.file", ""),
    ("model.format", "onnx"),
    ("model.precision", "int4"),
    ("model.sha256", "A" * 64),
    ("model.sha256", "a" * 63),
    ("model.parameters", -1),
    ("model.macs", -1),
    ("parent.sha256", "not a hash"),
    ("input.height", 0),
    ("input.width", 4097),
    ("input.channels", 2),
    ("input.resize", "crop"),
    ("input.filters", [{"kind": "blur", "amount": 1.0}]),
    ("input.filters", [{"kind": "sobel", "amount": -1.0}]),
    ("input.normalization.scale", [2.0]),
    ("outputs.logits", -1),
    ("outputs.activation_map", -1),
    ("outputs.severity", -1),
    ("outputs.embedding", -1),
    ("familiarity.file", "../x"),
    ("familiarity.threshold", 0.0),
    ("familiarity.fitted_images", 0),
    ("familiarity.chosen_images", 0),
    ("familiarity.refused_share", 1.5),
    ("labels", ["one"]),
    ("labels", ["normal", "normal", "osteopenia"]),
    ("calibration.method", "platt"),
    ("calibration.temperature", 0.0),
    ("decision.positive_labels", []),
    ("decision.positive_labels", ["fracture"]),
    ("decision.positive_labels", ["osteopenia", "osteopenia"]),
    ("decision.threshold", 1.1),
    ("decision.threshold", 0.3),
    ("decision.target_sensitivity", -0.1),
    ("decision.abstain_low", -0.1),
    ("decision.abstain_high", 1.1),
    ("gate.min_side_px", 0),
    ("gate.min_contrast", 2.0),
    ("gate.max_chroma", -1.0),
    ("parity.reference_sha256", ""),
    ("parity.n", 0),
    ("parity.largest_difference", 1.5),
    ("parity.mean_difference", -0.5),
    ("parity.decision_agreement", 1.01),
    ("parity.verdict.min_agreement", 98),
    ("parity.verdict.max_mean_difference", -0.1),
    ("parity.verdict.passed", False),
    ("metrics.sensitivity.n", -1),
    ("data.split_sha256", "?"),
    ("files", {"MODEL_CARD.md": "?"}),
    ("files", {"model.tflite": "c" * 64}),
]
FILE_NAMES = ["", ".", "..", "../x", "a/b", "/etc/passwd", "a\\b", "C:x", "a\nb", "a\0b", ".hidden", "manifest.json"]


def fields(value: object = PLAIN, where: str = "") -> Iterator[tuple[str, bool]]:
    """The path of every value of the golden manifest, and whether its key is declared (and not free)."""
    if isinstance(value, dict):
        for key, item in value.items():
            path = f"{where}.{key}".lstrip(".")
            yield path, where not in FREE_KEYS and not where.startswith(("parent.recipe", "data.counts."))
            yield from fields(item, path)


DECLARED = [path for path, declared in fields() if declared]
OPTIONAL = {"outputs.severity", "outputs.embedding", "parity.verdict", "familiarity"}
NULLABLE = {"parity", "parent.sha256", "outputs.activation_map", *OPTIONAL} | {
    path for path in DECLARED if path.startswith("metrics.") and path.endswith((".value", ".low", ".high"))
}


def changed(where: str, change: Callable[[dict[str, Any], str], None]) -> dict[str, Any]:
    """The golden manifest with `change` done to the object that holds the field, and the field's key."""
    plain = copy.deepcopy(PLAIN)
    holder: Any = plain
    *parents, key = where.split(".")
    for parent in parents:
        holder = holder[parent]
    change(holder, key)
    return plain


def with_value(where: str, value: object) -> dict[str, Any]:
    def assign(holder: dict[str, Any], key: str) -> None:
        holder[key] = value

    return changed(where, assign)


def problem_of(plain: object, folder: Path) -> str:
    file = folder / "manifest.json"
    file.write_text(json.dumps(plain), "utf-8")
    with pytest.raises(BundleError) as caught:
        read_manifest(folder)
    message = str(caught.value)
    assert message.startswith(f"{file}: ")
    assert "\n" not in message
    return message.removeprefix(f"{file}: ")


def test_the_golden_manifest_survives_the_round_trip() -> None:
    assert Manifest.from_dict(PLAIN).to_dict() == PLAIN
    read = Manifest.from_dict(OLDER).to_dict()
    assert (read.pop("familiarity"), read["outputs"].pop("embedding")) == (None, None)
    assert json.dumps(read, indent=2) + "\n" == GOLDEN.read_text("utf-8")


def test_statistics_of_embeddings_need_a_model_that_gives_them() -> None:
    with pytest.raises(FieldError, match="familiarity needs a model that gives an embedding"):
        Manifest.from_dict(with_value("outputs.embedding", None))


def test_the_walk_finds_the_fields_of_every_section() -> None:
    assert {path.split(".")[0] for path in DECLARED} == set(PLAIN)
    assert {"input.normalization.scale", "metrics.sensitivity.low", "gate.modalities"} <= set(DECLARED)
    assert "parent.recipe.convert" not in DECLARED


def without(where: str) -> dict[str, Any]:
    def remove(holder: dict[str, Any], key: str) -> None:
        del holder[key]

    return changed(where, remove)


@pytest.mark.parametrize("where", [path for path in DECLARED if path not in OPTIONAL])
def test_a_missing_field_is_named(where: str, tmp_path: Path) -> None:
    section, _, key = where.rpartition(".")
    inside = f" in {section}" if section else ""
    assert problem_of(without(where), tmp_path) == f"missing field {key!r}{inside}"


@pytest.mark.parametrize("where", sorted(OPTIONAL - {"outputs.embedding"}))  # the statistics need it
def test_a_manifest_from_before_a_field_is_read_as_if_it_said_none(where: str) -> None:
    assert Manifest.from_dict(without(where)) == Manifest.from_dict(with_value(where, None))


@pytest.mark.parametrize("section", sorted({path.rpartition(".")[0] for path in DECLARED}))
def test_an_unknown_field_is_named(section: str, tmp_path: Path) -> None:
    plain = with_value(f"{section}.surprise".lstrip("."), 1)
    inside = f" in {section}" if section else ""
    assert problem_of(plain, tmp_path) == f"unknown field 'surprise'{inside}"


@pytest.mark.parametrize("where", DECLARED)
def test_a_field_of_another_type_is_named(where: str, tmp_path: Path) -> None:
    wrongs: tuple[object, ...] = (0 if where == "parity.verdict.passed" else True, [[]])
    for wrong in wrongs:
        assert problem_of(with_value(where, wrong), tmp_path).startswith(where)


@pytest.mark.parametrize("where", [path for path in DECLARED if path not in NULLABLE])
def test_null_is_refused_where_nothing_allows_it(where: str, tmp_path: Path) -> None:
    assert problem_of(with_value(where, None), tmp_path).startswith(where)


@pytest.mark.parametrize(("where", "value"), OUT_OF_RANGE)
def test_a_value_out_of_range_is_named(where: str, value: object, tmp_path: Path) -> None:
    assert problem_of(with_value(where, value), tmp_path).startswith(where)


@pytest.mark.parametrize(
    ("agreeing", "n", "min_agreement", "passed"),
    [
        (34, 34, 1.0, True),
        (33, 34, 1.0, False),
        (32, 34, 0.98, True),
        (31, 34, 0.98, False),
        (164, 170, 0.98, True),
        (163, 170, 0.98, False),
        (3, 4, 0.98, False),
        (0, 1, 0.0, True),
    ],
)
def test_a_model_fails_where_its_images_can_tell(agreeing: int, n: int, min_agreement: float, passed: bool) -> None:
    parity = Parity("a" * 64, "validation images", n, 0.2, 0.02, agreeing / n)
    assert parity.passed is None
    assert parity.judged(min_agreement, 0.1).passed is passed


def test_a_model_fails_whose_probabilities_are_far_off_though_all_decisions_agree() -> None:
    parity = Parity("a" * 64, "validation images", 34, 0.5, 0.1, 1.0)
    assert parity.judged(0.98, 0.1).passed is True
    assert parity.judged(0.98, 0.0999).passed is False


def test_figures_that_are_changed_without_their_verdict_are_refused(tmp_path: Path) -> None:
    problem = problem_of(with_value("parity.decision_agreement", 0.5), tmp_path)
    assert problem == "parity.verdict.passed must be what the figures beside it say"


@pytest.mark.parametrize("name", FILE_NAMES)
def test_a_file_name_that_leads_out_of_the_bundle_is_refused(name: str, tmp_path: Path) -> None:
    assert "file inside the bundle" in problem_of(with_value("model.file", name), tmp_path)
    assert "file inside the bundle" in problem_of(with_value("files", {name: "c" * 64}), tmp_path)


def test_a_newer_schema_asks_for_an_update(tmp_path: Path) -> None:
    problem = problem_of(PLAIN | {"schema": 2, "whatever": "it brings"}, tmp_path)
    assert problem == "schema 2 is newer than this program knows (1); update osteo-edge"


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_a_number_that_json_does_not_know_is_refused(constant: str, tmp_path: Path) -> None:
    text = GOLDEN.read_text("utf-8").replace('"temperature": 1.0', f'"temperature": {constant}')
    (tmp_path / "manifest.json").write_text(text, "utf-8")
    with pytest.raises(BundleError, match=r"manifest\.json: .*(no JSON number|finite number)"):
        read_manifest(tmp_path)


def test_a_manifest_may_do_without_a_map_parity_and_parent() -> None:
    for where in ("outputs.activation_map", "parity", "parent.sha256"):
        assert Manifest.from_dict(with_value(where, None)).to_dict() == with_value(where, None)


def test_a_manifest_that_is_no_object_is_refused() -> None:
    with pytest.raises(FieldError, match="the document must be an object, not a list"):
        Manifest.from_dict([])


@pytest.mark.parametrize(
    ("where", "most"), [("name", 500), ("version", 500), ("intended_use", 1500), ("data.label_source", 1000)]
)
def test_a_text_that_no_screen_has_room_for_is_refused(where: str, most: int, tmp_path: Path) -> None:
    Manifest.from_dict(with_value(where, "x" * most))
    problem = problem_of(with_value(where, "x" * 81_000), tmp_path)
    assert problem == f"{where} must have at most {most:,} letters, not 81,000"
