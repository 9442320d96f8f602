import json
from dataclasses import replace
from io import BytesIO

import pyarrow.parquet
import pytest

from osteo_edge.archive.row import METADATA_KEY, OUTCOMES, Row, schema_of, table_of
from osteo_edge.bundle import Bundle
from osteo_edge.image_quality import ImageQuality
from osteo_edge.wording import HEADLINES

ROW = Row(film="knee.png", outcome="refer", reason="threshold_reached", reasons=("a", "b"), model_sha256="0" * 64)


def test_a_row_comes_back_from_a_file_as_it_was(bundle: Bundle) -> None:
    positive = bundle.manifest.decision.positive_labels
    quality = ImageQuality(1.5, 200, 0.99, 0.25, 0.0, 0.75, 0.0, 0.125, 0.5, 0.0, 0.625, 1.0)
    row = replace(ROW, score=0.75, probabilities={positive[0]: 0.5}, quality=quality, width=300, ms_read=1.5)
    file = BytesIO()
    pyarrow.parquet.write_table(table_of([row], bundle.manifest), file)
    (back,) = pyarrow.parquet.read_table(file).to_pylist()
    assert {name: value for name, value in back.items() if value is not None} == {
        **{name: value for name, value in row.to_dict().items() if value is not None},
    }
    assert back["reasons"] == ["a", "b"]
    assert back["quality_tones"] == 200
    assert back[f"probability_{positive[0]}"] == 0.5


def test_there_are_probabilities_of_positive_labels_alone(bundle: Bundle) -> None:
    columns = [name for name in schema_of(bundle.manifest).names if name.startswith("probability_")]
    assert columns == [f"probability_{label}" for label in bundle.manifest.decision.positive_labels]
    assert len(columns) < len(bundle.manifest.labels)


def test_the_schema_tells_its_version_and_the_model(bundle: Bundle) -> None:
    about = json.loads(schema_of(bundle.manifest).metadata[METADATA_KEY])
    assert about == {"schema": 1, "model_sha256": bundle.manifest.model.sha256}


@pytest.mark.parametrize("column", ["film", "outcome", "reason", "model_sha256"])
def test_what_every_row_has_is_never_null(column: str, bundle: Bundle) -> None:
    assert not schema_of(bundle.manifest).field(column).nullable


def test_the_outcomes_are_those_of_a_screening_and_two_more() -> None:
    assert (*HEADLINES, "not_screened", "unreadable") == OUTCOMES
