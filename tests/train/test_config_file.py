"""Settings from a recipe, a TOML file and the command line: which counts, and what is wrong usage."""

from pathlib import Path

import pytest

from osteo_edge.errors import OsteoEdgeError
from osteo_edge.filters import Filter
from osteo_edge.train.config import TrainConfig
from osteo_edge.train.config_file import BOUNDS, choose_config
from osteo_edge.train.recipes.presets import PRESETS


def _write(folder: Path, text: str) -> Path:
    path = folder / "knee.toml"
    path.write_text(text, "utf-8")
    return path


def test_the_command_line_counts_more_than_the_file_and_that_more_than_the_recipe(tmp_path: Path) -> None:
    file = _write(tmp_path, "epochs = 7\nlearning_rate = 3e-4\n")
    config = choose_config("last-20", file, {"epochs": 9})
    assert config.epochs == 9
    assert config.learning_rate == 3e-4
    assert (config.backbone, config.trainable_layers) == ("efficientnet_b0", 20)
    assert config.patience == TrainConfig().patience


def test_a_recipe_alone_is_the_default_configuration_with_its_changes() -> None:
    assert choose_config("fine-tuned", None, {}) == TrainConfig()
    assert choose_config("last-20", None, {}) == PRESETS["last-20"].apply(TrainConfig())


def test_the_taps_of_a_recipe_are_left_out_with_another_backbone_than_its_own(tmp_path: Path) -> None:
    assert choose_config("osteo-edge", None, {"alpha": 0.35}).taps == PRESETS["osteo-edge"].changes["taps"]
    other = choose_config("osteo-edge", None, {"backbone": "efficientnet_b0"})
    assert (other.taps, other.region, other.standardize) == ((), "knees", True)
    file = _write(tmp_path, 'backbone = "efficientnet_b0"\ntaps = ["top_activation"]\n')
    assert choose_config("osteo-edge", file, {}).taps == ("top_activation",)


def test_a_head_on_random_features_is_refused_with_the_recipe_to_take_unless_it_is_asked_for() -> None:
    for recipe in ("osteo-edge", "frozen-features", "two-stage", "late-fusion"):
        with pytest.raises(OsteoEdgeError) as raised:
            choose_config(recipe, None, {"weights": "none"})
        assert str(raised.value) == (
            f"recipe {recipe}: fits the head alone, on features that weights none would leave random; take --recipe "
            "fine-tuned to train from scratch"
        )
    assert choose_config("osteo-edge", None, {"weights": "none", "trainable_layers": None}).from_scratch
    assert choose_config("fine-tuned", None, {"weights": "none", "trainable_layers": 0}).from_scratch


def test_all_kinds_of_settings_can_be_written(tmp_path: Path) -> None:
    text = """
    labels = ["normal", "osteoporosis"]
    filters = ["clahe:3", {kind = "sharpen", amount = 0.5}]
    trainable_layers = "all"
    mixed_precision = true
    mixup = 1
    loss = "focal"
    """
    config = choose_config("last-20", _write(tmp_path, text), {})
    assert config.labels == ("normal", "osteoporosis")
    assert config.filters == (Filter("clahe", 3.0), Filter("sharpen", 0.5))
    assert config.trainable_layers is None
    assert config.mixed_precision is True
    assert config.mixup == 1.0
    assert config.loss == "focal"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("epoch = 3", "unknown field 'epoch'"),
        ("epochs = 'many'", "epochs must be a whole number, not a text"),
        ("epochs = -1", "epochs must lie between 0 and 10000, not -1"),
        ("batch_size = 0", "batch_size must lie between 1 and 4096, not 0"),
        ("loss = 'hinge'", "loss must be one of cross_entropy, focal, not 'hinge'"),
        ("learning_rate = 'find'", "learning_rate must be a number, not a text"),
        ("filters = ['blur']", "filters: no filter is called 'blur'"),
        ("filters = [{kind = 'canny', amount = 7}]", "amount must not be above 1"),
        ("filters = 3", "filters must be a list, not a whole number"),
        ("labels = 'normal'", "labels must be a list, not a text"),
        ("[fit]\nepochs = 3", "unknown field 'fit'"),
        ("epochs = ", "is no TOML"),
        ("mixup = nan", "mixup must be a finite number"),
    ],
)
def test_what_is_wrong_is_one_line_that_names_the_file_and_the_key(text: str, message: str, tmp_path: Path) -> None:
    file = _write(tmp_path, text)
    with pytest.raises(OsteoEdgeError) as raised:
        choose_config("osteo-edge", file, {})
    assert str(raised.value).startswith(f"{file}: ")
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(OsteoEdgeError, match=r"none.toml: cannot be read"):
        choose_config("osteo-edge", tmp_path / "none.toml", {})


def test_every_number_has_bounds_that_the_default_keeps() -> None:
    numbers = {
        name
        for name, value in vars(TrainConfig()).items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
    assert numbers <= set(BOUNDS)
