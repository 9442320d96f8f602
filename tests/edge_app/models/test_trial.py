from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from osteo_edge.bundle import Bundle
from osteo_edge.edge_app.models import trial
from osteo_edge.edge_app.models.trial import read_usable, require_usable, trial_bone, try_out
from osteo_edge.errors import BundleError
from osteo_edge.manifest import Manifest
from osteo_edge.runtime import Interpreter, Prediction
from osteo_edge.wording import COMPARISON_USE
from tests.cascade import UNCLEAR, draw_limb, write_cascade

MakeBundle = Callable[..., Bundle]


def assert_is_one_line(caught: pytest.ExceptionInfo[BundleError]) -> None:
    assert "\n" not in str(caught.value)
    assert "--" not in str(caught.value), "there is no command line in the app"


def test_a_sound_bundle_answers_the_drawn_film(bundle: Bundle) -> None:
    found, screening = try_out(bundle.path)
    assert found.manifest == bundle.manifest
    assert screening.score is not None


def test_a_bundle_that_failed_its_check_is_refused(failed_bundle: Bundle) -> None:
    with pytest.raises(BundleError, match="failed its check after conversion") as caught:
        read_usable(failed_bundle.path)
    assert_is_one_line(caught)


def test_a_bundle_that_is_not_converted_is_refused(golden_bundle: MakeBundle, manifest: Manifest) -> None:
    keras = golden_bundle("keras")
    with pytest.raises(BundleError, match="a keras model, not for this device") as caught:
        require_usable(keras.path, replace(manifest, model=replace(manifest.model, format="keras")))
    assert_is_one_line(caught)


def test_a_bundle_for_comparison_alone_is_refused(manifest: Manifest) -> None:
    with pytest.raises(BundleError, match="only for comparison with other models; take another one") as caught:
        require_usable(Path("router"), replace(manifest, intended_use=COMPARISON_USE))
    assert_is_one_line(caught)


def test_an_altered_file_is_refused(bundle: Bundle) -> None:
    bundle.model_path.write_bytes(bundle.model_path.read_bytes()[:-1] + b"?")
    with pytest.raises(BundleError, match=r"model\.tflite: altered"):
        try_out(bundle.path)


def test_a_model_that_the_runtime_cannot_load_is_refused(golden_bundle: MakeBundle) -> None:
    with pytest.raises(BundleError, match="not a TFLite model") as caught:
        try_out(golden_bundle("odd", model=b"these bytes are no network").path)
    assert_is_one_line(caught)


def test_a_bundle_that_would_refuse_good_films_is_refused(golden_bundle: MakeBundle, manifest: Manifest) -> None:
    strict = golden_bundle("strict", gate=replace(manifest.gate, min_side_px=4000))
    with pytest.raises(BundleError, match=r"rejects a drawn film \(too small") as caught:
        try_out(strict.path)
    assert_is_one_line(caught)


def test_a_model_that_gives_no_number_is_refused(
    bundle: Bundle, answering: Callable[..., Interpreter], monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = answering([np.nan] * len(bundle.manifest.labels))
    monkeypatch.setattr(trial, "open_interpreter", lambda bundle, threads: nothing)
    with pytest.raises(BundleError, match="gives no number"):
        try_out(bundle.path)


def test_a_model_that_breaks_down_while_it_runs_is_refused(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    class Breaking:
        name = "breaking"

        def run(self, tensor: object) -> Prediction:
            raise RuntimeError("Node number 3 (CONV_2D)\nfailed to invoke")

    monkeypatch.setattr(trial, "open_interpreter", lambda bundle, threads: Breaking())
    with pytest.raises(BundleError, match="does not run on this device") as caught:
        try_out(bundle.path)
    assert_is_one_line(caught)


def test_a_model_that_cannot_tell_which_bone_the_drawn_film_shows_is_tried_out_on_one(
    tmp_path: Path, manifest: Manifest
) -> None:
    limbs = write_cascade(tmp_path / "limbs", manifest)
    unclear = draw_limb(tmp_path / "film.png", "elbow", 0.7, contrast=UNCLEAR)
    _, screening = try_out(limbs.path, film=unclear)
    assert (screening.bone_given, trial_bone(limbs.manifest), trial_bone(manifest)) == ("elbow", "elbow", None)
    assert screening.score is not None
