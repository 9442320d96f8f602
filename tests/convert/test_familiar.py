"""From training over conversion to screening: what a small network never saw is refused, what it knows is answered."""

from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest

from osteo_edge.benchmarks.studies.familiarity_pictures import drawn
from osteo_edge.bundle import Bundle, read_bundle, write_bundle
from osteo_edge.convert.conversion import convert_bundle
from osteo_edge.dataset import Dataset, read_dataset
from osteo_edge.familiarity import FILE, NOT_DRAWN, UNFAMILIAR, distance_of, read_statistics, too_far
from osteo_edge.preprocessing import normalize, to_tensor
from osteo_edge.radiograph import Pixels
from osteo_edge.runtime import open_interpreter
from osteo_edge.samples import PARITY, SAMPLES_FILE, read_samples
from osteo_edge.screening import screen
from osteo_edge.split import Split, select
from osteo_edge.train.audit import audit
from osteo_edge.train.config import TrainConfig
from osteo_edge.train.phantoms import write_phantoms
from osteo_edge.train.splitting import make_split
from osteo_edge.train.training import Job, train_bundle

pytestmark = pytest.mark.tf

Write = Callable[[Pixels], Path]
SIDE_PX = 224
DRAWN = TrainConfig(backbone="alexnet", weights="none", side_px=64, trainable_layers=0)
"""A head on drawn features, which tell textures apart before anything is learnt."""


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = tmp_path_factory.mktemp("familiar") / "phantoms"
    write_phantoms(folder, per_class=30, size=SIDE_PX, seed=5)
    return read_dataset(folder)


@pytest.fixture(scope="module")
def split(phantoms: Dataset) -> Split:
    return make_split(audit(phantoms, confounders=False), phantoms)


@pytest.fixture(scope="module")
def trained(phantoms: Dataset, split: Split, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    out = tmp_path_factory.mktemp("familiar") / "keras"
    return train_bundle(Job(phantoms, split, DRAWN, "small", "drawn"), out, on_progress=silent).bundle


@pytest.fixture(scope="module", params=["float32", "int8"])
def converted(request: pytest.FixtureRequest, trained: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return convert_bundle(trained, request.param, tmp_path_factory.mktemp("tflite") / "out", on_progress=silent)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a picture, (height, width) in [0, 1], to a file."""

    def to_file(pixels: Pixels) -> Path:
        path = tmp_path / "picture.png"
        path.write_bytes(cv2.imencode(".png", np.rint(pixels * 255).astype(np.uint8))[1].tobytes())
        return path

    return to_file


def test_training_writes_what_it_knows_of_its_films(trained: Bundle) -> None:
    manifest, statistics = trained.manifest, read_statistics(trained)
    assert manifest.familiarity is not None
    assert (manifest.familiarity.fitted_on, manifest.familiarity.chosen_on) == ("the train part", "the validation part")
    assert manifest.familiarity.fitted_images == sum(manifest.data.counts["train"].values())
    assert manifest.familiarity.chosen_images == sum(manifest.data.counts["validation"].values())
    assert manifest.familiarity.refused_share <= 0.03
    assert statistics is not None
    assert statistics.mean.shape == (256,)
    assert FILE in manifest.files
    refused = manifest.metrics["refused as unlike the training films, test"]
    assert refused.value is not None
    assert refused.value <= 0.1
    assert refused.n == sum(manifest.data.counts["test"].values())


def test_conversion_fits_on_the_embeddings_of_the_converted_model(converted: Bundle, trained: Bundle) -> None:
    read = read_bundle(converted.path)
    record, statistics, interpreter = read.manifest.familiarity, read_statistics(read), open_interpreter(read)
    assert record is not None
    assert statistics is not None
    assert record.fitted_on == "training images that the bundle carries"
    answers = [interpreter.run(normalize(plane[np.newaxis], read.manifest.input)) for plane in known(trained)]
    distances = statistics.distances(np.stack([one.embedding for one in answers if one.embedding is not None]))
    assert np.mean(distances > record.threshold) == record.refused_share


def test_films_that_it_has_not_seen_are_answered(converted: Bundle, phantoms: Dataset, split: Split) -> None:
    outcomes = [outcome_of(case.path, converted) for case in select(phantoms, split, "test")]
    assert len(outcomes) >= 15
    assert outcomes.count("rejected") <= 1


def test_pictures_of_another_kind_are_refused(converted: Bundle) -> None:
    ramp = np.tile(np.linspace(0, 1, SIDE_PX), (SIDE_PX, 1))
    rings = 0.5 + 0.5 * np.sin(np.hypot(*np.indices((SIDE_PX, SIDE_PX))) / 4)
    strange = {"squares": squares(), "ramp": ramp, "rings": rings}
    strange |= {f"{kind} {number}": pixels for number, (kind, pixels) in enumerate(islice(drawn(), 6))}
    interpreter, spec = open_interpreter(converted), converted.manifest.input
    seen = {kind: interpreter.run(to_tensor(pixels.astype(np.float32), spec)) for kind, pixels in strange.items()}
    distances = {kind: distance_of(prediction.embedding, converted) for kind, prediction in seen.items()}
    found = {kind: too_far(distance, converted.manifest) for kind, distance in distances.items()}
    assert found == dict.fromkeys(strange, (UNFAMILIAR,))


def test_a_refused_picture_is_told_why_by_what_the_model_is(converted: Bundle, tmp_path: Path, write: Write) -> None:
    picture = write(squares())
    _, refused = screen(picture, converted, open_interpreter(converted))
    assert (refused.reasons, refused.score) == ((UNFAMILIAR,), None)
    files = {name: (converted.path / name).read_bytes() for name in (converted.manifest.model.file, FILE)}
    data = replace(converted.manifest.data, label_source="phantom")
    demonstration = write_bundle(tmp_path / "demonstration", replace(converted.manifest, data=data), files)
    _, refused = screen(picture, demonstration, open_interpreter(demonstration))
    assert refused.reasons == (NOT_DRAWN,)


def test_a_bundle_from_before_embeddings_converts_as_before(trained: Bundle, tmp_path: Path) -> None:
    outputs = replace(trained.manifest.outputs, embedding=None)
    before = replace(trained.manifest, outputs=outputs, familiarity=None)
    names = (trained.manifest.model.file, SAMPLES_FILE)
    older = write_bundle(tmp_path / "older", before, {name: (trained.path / name).read_bytes() for name in names})
    converted = convert_bundle(older, "float32", tmp_path / "out", on_progress=silent)
    assert (converted.manifest.familiarity, converted.manifest.outputs.embedding) == (None, None)
    assert FILE not in converted.manifest.files


def known(trained: Bundle) -> Pixels:
    """Validation images, which are not fitted on."""
    return read_samples(trained, PARITY)


def squares() -> Pixels:
    """A chessboard, of which nothing but the model can say that it is no film."""
    return np.asarray(np.kron(np.indices((8, 8)).sum(axis=0) % 2, np.ones((SIDE_PX // 8,) * 2)), np.float32)


def outcome_of(picture: Path, bundle: Bundle) -> str:
    return screen(picture, bundle, open_interpreter(bundle), force=True)[1].outcome


def silent(done: int, total: int, note: str = "", stage: str | None = None) -> None:
    pass
