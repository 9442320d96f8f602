import doctest
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from osteo_edge import strict
from osteo_edge.benchmarks.runtimes import runners
from osteo_edge.benchmarks.runtimes.runners import Runner, RunnerSpec, open_runner
from osteo_edge.bundle import Bundle
from osteo_edge.errors import BundleError, OsteoEdgeError
from osteo_edge.preprocessing import Tensor
from osteo_edge.runtime import BACKENDS, Floats, installed_backends, open_interpreter

GOLDEN = Path(__file__).parents[2] / "data"


@pytest.fixture
def tensor() -> Tensor:
    return np.random.default_rng(1).uniform(-1, 1, (1, 32, 32, 3)).astype(np.float32)


def spec(precision: str = "int8", **changes: object) -> RunnerSpec:
    return replace(RunnerSpec("LiteRT", str(GOLDEN / f"golden-{precision}.tflite"), 1), **changes)  # type: ignore[arg-type]


def answer(runner: Runner, tensor: Tensor) -> Floats:
    runner.set_input(tensor)
    runner.run()
    return runner.outputs()[0]


def test_the_examples_hold() -> None:
    assert doctest.testmod(runners).failed == 0


@pytest.mark.parametrize("delegate", [True, False])
def test_a_runner_answers_as_the_devices_interpreter_does(bundle: Bundle, tensor: Tensor, delegate: bool) -> None:
    runner = open_runner(spec(model=str(bundle.model_path), delegate=delegate))
    runner.set_input(tensor)
    runner.run()
    places, expected = bundle.manifest.outputs, open_interpreter(bundle, threads=1).run(tensor)
    answers = runner.outputs()
    step = 0.04  # what one step of the golden model's output is worth: the delegate may round otherwise
    np.testing.assert_allclose(answers[places.logits][0], expected.logits, atol=0 if delegate else step)
    assert places.activation_map is not None
    assert answers[places.activation_map].dtype == np.float32


@pytest.mark.parametrize(("delegate", "used"), [(True, "XNNPACK"), (False, None)])
def test_the_delegate_named_is_the_one_that_took_part(delegate: bool, used: str | None) -> None:
    assert open_runner(spec(delegate=delegate)).delegate == used


def test_another_input_gives_another_answer(tensor: Tensor) -> None:
    runner = open_runner(spec("float32"))
    assert not np.array_equal(answer(runner, tensor), answer(runner, -tensor))


def test_a_spec_survives_json() -> None:
    assert strict.from_dict(RunnerSpec, strict.to_dict(spec())) == spec()


def test_a_file_that_is_missing_or_no_model_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="no such file; give a TFLite model"):
        open_runner(spec(model=str(tmp_path / "none.tflite")))
    broken = tmp_path / "broken.tflite"
    broken.write_bytes(b"no flatbuffer")
    with pytest.raises(BundleError, match=r"broken\.tflite: LiteRT cannot load it \([^\n]+\)$"):
        open_runner(spec(model=str(broken)))


def test_a_runtime_that_is_not_installed_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    absent = replace(BACKENDS[1], module="no_such_runtime.interpreter")
    monkeypatch.setattr(runners, "BACKENDS", (absent,))
    with pytest.raises(OsteoEdgeError, match=r"^tflite-runtime is not installed: pip install no-such-runtime$"):
        open_runner(spec(runtime="tflite-runtime"))


def test_a_runtime_that_does_not_load_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "built_for_others.py").write_text("raise ImportError('wrong ELF class')")
    monkeypatch.syspath_prepend(tmp_path)
    other = replace(BACKENDS[0], module="built_for_others")
    monkeypatch.setattr(runners, "BACKENDS", (other,))
    monkeypatch.setattr(runners, "installed_backends", lambda: (other,))
    with pytest.raises(OsteoEdgeError, match=r"LiteRT does not load here \(wrong ELF class\): install a build of"):
        open_runner(spec())


@pytest.mark.tf
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*tf.lite.Interpreter is deprecated:UserWarning")
def test_tensorflows_interpreter_runs_the_same_file(tensor: Tensor) -> None:
    assert "TensorFlow" in {backend.title for backend in installed_backends()}
    found, expected = (
        answer(open_runner(spec("float32", runtime=runtime)), tensor) for runtime in ("TensorFlow", "LiteRT")
    )
    np.testing.assert_allclose(found, expected, atol=1e-5)
