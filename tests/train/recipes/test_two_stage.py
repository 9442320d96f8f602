import logging
from dataclasses import replace

import numpy as np
import pytest

from osteo_edge.console import Advance
from osteo_edge.errors import DatasetError
from osteo_edge.train.config import TrainConfig
from osteo_edge.train.recipe import Fold
from osteo_edge.train.recipes.two_stage import TwoStageRecipe

CONFIG = TrainConfig(backbone="custom_cnn", weights="none", side_px=64, epochs=25, patience=25, batch_size=8)


def test_detection_alone_and_two_stages_are_described_differently() -> None:
    from osteo_edge.train.recipes.network import network_recipe

    assert TwoStageRecipe(CONFIG).describe() != network_recipe(CONFIG).describe()
    assert TwoStageRecipe(CONFIG).describe() != TwoStageRecipe(replace(CONFIG, epochs=9)).describe()


@pytest.mark.tf
@pytest.mark.slow
def test_the_answers_are_those_of_the_detection_stage_and_the_grades_are_reported(
    fold: Fold, silent: Advance, caplog: pytest.LogCaptureFixture
) -> None:
    from osteo_edge.train.recipes.network import FittedRecipe

    with caplog.at_level(logging.INFO, "osteo_edge"):
        answers = TwoStageRecipe(CONFIG).answer(fold, on_progress=silent)
    detection = FittedRecipe(CONFIG).answer(fold, on_progress=silent)
    np.testing.assert_allclose(answers.test, detection.test, atol=1e-5)
    assert answers.losses == detection.losses
    (line,) = [record.getMessage() for record in caplog.records if record.name.endswith("two_stage")]
    assert "agreement_with_groups_found_again" in line


@pytest.mark.tf
@pytest.mark.slow
def test_a_fold_without_three_positive_images_is_one_clear_line(fold: Fold, silent: Advance) -> None:
    few = np.concatenate(
        [np.flatnonzero(fold.train.classes == number)[:count] for number, count in enumerate((9, 1, 1))]
    )
    with pytest.raises(DatasetError, match="two-stage: 2 positive images and 9 of the reference class"):
        TwoStageRecipe(replace(CONFIG, epochs=1)).answer(replace(fold, train=fold.train.part(few)), on_progress=silent)
