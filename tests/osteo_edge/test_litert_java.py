"""The Android app's interpreter, unchanged, in a real JVM: doubles of LiteRT's Java classes with LiteRT behind them."""

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from osteo_edge import litert_gpu, litert_java
from osteo_edge.backends import ANDROID, ANDROID_GPU, BACKENDS, installed_backends
from osteo_edge.bundle import write_bundle
from osteo_edge.hashing import sha256_bytes
from osteo_edge.manifest import Manifest
from tests.java_doubles import run_in_jvm

HERE = Path(__file__).parent
GOLDEN = HERE.parent / "data"
DEMO = HERE.parents[1] / "edge_app" / "demo_bundle"
NAME = "LiteRT for Android 1.4.1, 1 thread"


@pytest.fixture(scope="module")
def found(java_classes: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the session in the JVM has found, by the names of its functions."""
    bundles = tmp_path_factory.mktemp("bundles")
    write_models(bundles)
    session = HERE / "litert_java_session.py"
    done = run_in_jvm(session, str(bundles), classes=java_classes, ANDROID_ARGUMENT="believed to be a phone")
    if done.returncode != 0 or not done.stdout:
        raise RuntimeError(done.stdout + done.stderr)
    facts: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    problems = [fact["problem"] for fact in facts.values() if isinstance(fact, dict) and "problem" in fact]
    if problems:
        raise RuntimeError("\n".join(problems))
    return facts


def write_models(folder: Path) -> None:
    """A bundle for each kind of model: those that LiteRT runs, and those that it must refuse."""
    pytest.importorskip("ai_edge_quantizer")
    plain, integer = ((GOLDEN / f"golden-{name}.tflite").read_bytes() for name in ("float32", "int8"))
    models = {
        "whole-float32": plain,
        "whole-float16": weights_as(plain, "float16"),
        "whole-dynamic": weights_as(plain, "int8"),
        "whole-int8": integer,
        "bad-cut": integer[:1000],
        "bad-text": b"no model at all",
        "bad-version": with_operator(plain, version=99),
        "bad-custom": with_operator(plain, custom="BoneDensity"),
        "bad-flex": with_operator(plain, custom="FlexBoneDensity"),
    }
    manifest = Manifest.from_dict(json.loads((GOLDEN / "manifest.json").read_text("utf-8")))
    for name, model in models.items():
        about = replace(manifest.model, sha256=sha256_bytes(model))
        write_bundle(folder / name, replace(manifest, model=about), {"model.tflite": model})
    (folder / "whole-demo").symlink_to(DEMO, target_is_directory=True)


def weights_as(model: bytes, kind: str) -> bytes:
    """The model with float ends and its weights as float16, or as integers that are taken back when it runs."""
    from ai_edge_quantizer import qtyping, quantizer, recipe

    made = quantizer.Quantizer(bytearray(model))
    if kind == "int8":
        made.load_quantization_recipe(recipe.dynamic_wi8_afp32())
    else:
        half = qtyping.TensorQuantizationConfig(num_bits=16, dtype=qtyping.TensorDataType.FLOAT)
        config = qtyping.OpQuantizationConfig(
            weight_tensor_config=half, compute_precision=qtyping.ComputePrecision.FLOAT
        )
        made.update_quantization_recipe(
            regex=".*",
            operation_name=qtyping.TFLOperationName.CONV_2D,
            algorithm_key="float_casting",
            op_config=config,
        )
    return bytes(made.quantize().quantized_model)


def with_operator(model: bytes, *, version: int = 1, custom: str | None = None) -> bytes:
    """The model with another first operator: a newer version of it, or one that is not LiteRT's."""
    from osteo_edge.convert.flatbuffer import read_graph, write_graph

    graph, schema = read_graph(model)
    code = graph.operatorCodes[0]
    code.version = version
    if custom is not None:
        code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.CUSTOM
        code.customCode = custom.encode()
        for operator in graph.subgraphs[0].operators:
            operator.builtinOptions, operator.builtinOptionsType = None, 0
    return write_graph(graph)


def test_it_is_no_choice_until_the_app_has_prepared_it(found: dict[str, Any]) -> None:
    assert found["before_it_is_prepared"] == {
        "titles": [backend.title for backend in installed_backends()],
        "gpu": False,
        "loading": "LookupError: osteo_edge.litert_java.prepare has not been called",
    }
    assert found["prepared"]["titles"] == ["LiteRT for Android", *found["before_it_is_prepared"]["titles"]]


def test_on_a_desktop_nothing_of_it_is_loaded_or_chosen() -> None:
    assert not litert_java.is_prepared()
    assert not litert_gpu.is_prepared()
    assert not {ANDROID, ANDROID_GPU} & {*installed_backends(), *BACKENDS}
    assert "jnius" not in sys.modules


def test_what_cannot_be_prepared_is_one_line(found: dict[str, Any]) -> None:
    told = found["prepared_where_it_cannot_be"]
    assert told["elsewhere"] == "RuntimeError: to be called on the main thread"
    assert told["without_class"] == (
        "OsteoEdgeError: LiteRT for Android cannot be used (there is no class org/tensorflow/lite/Interpreters): "
        "install the app again"
    )
    assert told["without_library"].startswith(
        "OsteoEdgeError: LiteRT for Android cannot be used (Failed to load native TensorFlow Lite methods."
    )
    assert "\n" not in told["without_library"]


def test_every_kind_of_model_answers_as_on_the_desktop_bit_for_bit(found: dict[str, Any]) -> None:
    kinds = ("demo", "dynamic", "float16", "float32", "int8")
    assert found["outputs"] == {
        f"whole-{kind}": {
            "name": "LiteRT for Android 1.4.1, 2 threads",
            "equal": True,
            "differ_among_themselves": True,
            "map": True,
            "options": [2, True, False],  # threads, XNNPACK, GPU
        }
        for kind in kinds
    }


def test_no_worker_ever_asks_for_a_class_of_the_app(found: dict[str, Any]) -> None:
    asked = found["classes_asked_for_by_workers"]
    assert asked["hidden"].startswith("JavaException: ")
    assert asked["asked"] == ["org/tensorflow/lite/Unprepared"]


@pytest.mark.parametrize("kind", ["FLOAT32", "INT8", "UINT8", "INT16", "INT32", "INT64"])
def test_ends_of_every_type_keep_their_bits_and_tell_their_steps(kind: str, found: dict[str, Any]) -> None:
    assert found["ends"][kind] == {
        "dtype": kind.lower(),
        "shape": [1, 2, 3],
        "quantization": [float(np.float32(0.1)), -3],
        "indices": [0, 1],
        "equal": True,
    }


def test_wrong_tensors_and_a_closed_interpreter_are_refused(found: dict[str, Any]) -> None:
    assert found["misuse"] == {
        "shape": "ValueError: int8 (1, 3, 2) for an input of int8 (1, 2, 3)",
        "dtype": "ValueError: float32 (1, 2, 3) for an input of int8 (1, 2, 3)",
        "odd": "ValueError: has a tensor of type BOOL",
        "two": "ValueError: has 2 inputs",
        "closed": "RuntimeError: The Interpreter has already been closed.",
        "open": 0,
    }


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        ("bad-cut", ""),
        ("bad-text", "The model is not a valid Flatbuffer"),
        ("bad-version", "Didn't find op for builtin opcode 'CONV_2D' version '99'."),
        ("bad-custom", "Encountered unresolved custom op: BoneDensity."),
        ("bad-flex", "Select TensorFlow op(s), included in the given model, is(are) not supported"),
    ],
)
def test_a_model_that_cannot_be_loaded_is_one_line_with_the_reason(
    model: str, reason: str, found: dict[str, Any]
) -> None:
    line = found["bad_models"][model]
    assert line.startswith("BundleError: ")
    assert f"{model}/model.tflite: not a TFLite model that this runtime can load ({reason}" in line
    assert "\n" not in line
    assert line.count("model.tflite") == 1


def test_a_model_is_closed_when_nobody_has_it_any_more(found: dict[str, Any]) -> None:
    memory = found["memory"]
    assert memory["loaded"] == memory["before"] + 3
    assert memory["dropped"] == memory["before"] + 2
    assert memory["collected"] == memory["before"]


def test_dropping_a_model_waits_for_nobody_and_is_made_up_for(found: dict[str, Any]) -> None:
    dropped = found["dropping_in_anothers_turn"]
    assert dropped["waited_s"] < 1
    assert (dropped["in_turn"], dropped["after"]) == (1, 0)


def test_a_model_that_cannot_be_closed_disturbs_nobody_and_is_logged(found: dict[str, Any]) -> None:
    assert found["closing_that_fails"] == {"lines": ["a model could not be closed"] * 2, "left": 0}


def test_the_model_of_the_app_screens_on_workers_and_is_closed_when_it_is_forgotten(found: dict[str, Any]) -> None:
    clinic = found["clinic"]
    assert clinic["runtime"].startswith("LiteRT for Android 1.4.1, ")
    assert clinic["runtime"].endswith((" thread", " threads"))
    assert clinic["score"] == clinic["desktop"]
    assert clinic["open"] == [1, 0, 1, 0]
    assert found["clinic_on_the_gpu"] == {
        "runtime": "LiteRT for Android 1.4.1, on the GPU",
        "score": clinic["desktop"],
        "open": [1, 0, 1, 0],
        "is_marked": False,
    }


def test_a_thread_can_run_any_number_of_films(found: dict[str, Any]) -> None:
    assert found["references_left_by_a_run"] == 0


def test_two_interpreters_at_once_never_mix_their_films(found: dict[str, Any]) -> None:
    assert found["threads_at_once"] == {"wrong": [0, 0]}


def test_threads_one_after_another_get_the_same_and_are_detached(found: dict[str, Any]) -> None:
    assert found["threads_one_after_another"] == {"equal": True, "during": [1] * 5, "after": 0}


def test_the_gpu_is_not_tried_in_an_app_without_its_delegate(found: dict[str, Any]) -> None:
    assert found["gpu_before_it_is_prepared"] == refusal("this app has no GPU delegate")
    assert found["gpu_prepared"] == {"elsewhere": "RuntimeError: to be called on the main thread", "prepared": True}


def test_the_gpu_is_used_where_it_is_listed_and_answers_the_same(found: dict[str, Any]) -> None:
    assert found["gpu_chosen"] == {
        "name": "LiteRT for Android 1.4.1, on the GPU",
        "lines": [],
        "is_marked": False,
        "seen": ["1.4.1 True", "1.4.1 True", "no mark True"],  # two films of the trial, one after it
        "same_later": True,
        "delegates": [1, 0],
        "models": 1,
        "precision_loss": False,
        "lists": 0,
    }


def test_the_gpu_is_not_used_where_it_is_not_listed(found: dict[str, Any]) -> None:
    assert found["gpu_not_on_the_list"] == refusal("this device is not on LiteRT's list")


def test_the_gpu_is_not_used_where_it_answers_something_else(found: dict[str, Any]) -> None:
    answers = found["gpu_with_other_answers"]
    assert answers["a_little"]["name"].endswith(", on the GPU")
    assert answers["too_much"] == refusal("logits off by 0.1")
    assert answers["no_number"] == refusal("logits without a number")
    assert answers["map"]["lines"][0].startswith("the GPU is not used: activation map off by ")


def test_the_gpu_is_not_used_where_the_model_does_not_load_on_it(found: dict[str, Any]) -> None:
    failed = found["gpu_that_fails"]
    assert failed["odd"] == "ValueError: has a tensor of type BOOL"
    assert (failed["delegates"], failed["models"]) == (0, 0)
    (line,) = failed["opening"]["lines"]
    assert line.startswith("the GPU is not used: ")
    assert line.endswith("not a TFLite model that this runtime can load (Can not open OpenCL library)")
    assert failed["opening"]["name"] == NAME


def test_a_gpu_that_ended_the_app_is_not_tried_again_until_the_version_is_another(found: dict[str, Any]) -> None:
    after = found["gpu_after_a_crash"]
    assert after["same_version"] == {
        **refusal("LiteRT 1.4.1 did not come back from it the last time"),
        "is_marked": True,
    }
    assert after["is_marked"]
    assert after["tried"] == [False]
    assert after["other_version"]["name"].endswith(", on the GPU")
    assert not after["is_marked_after"]


def test_a_gpu_whose_trial_cannot_be_marked_is_not_tried(found: dict[str, Any]) -> None:
    after = found["gpu_after_a_crash"]
    assert after["unreadable"]["lines"][0].endswith("gpu-trial cannot be read")
    assert "the mark of the GPU's trial cannot be written" in after["unwritable"]["lines"][0]


def refusal(reason: str) -> dict[str, Any]:
    return {"name": NAME, "lines": [f"the GPU is not used: {reason}"], "is_marked": False}


def test_what_java_takes_is_told(found: dict[str, Any], record_property: Callable[[str, object], None]) -> None:
    record_property("microseconds", found["figures"])
    assert found["figures"]["film"]["put_us"] > 0
