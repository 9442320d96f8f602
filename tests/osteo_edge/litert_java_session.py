"""What `test_litert_java.py` looks at, found in one process with a JVM: `run_in_jvm` runs this file.

Takes the folder of the bundles, and prints what each function below has found, by its name, as JSON.
"""

import gc
import json
import logging
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from unittest.mock import patch

import numpy as np
from jnius import autoclass

from osteo_edge import backends, litert_gpu, litert_java
from osteo_edge.bundle import Bundle, read_bundle
from osteo_edge.edge_app.clinic import Clinic
from osteo_edge.edge_app.drawn_film import DRAWN_FILM
from osteo_edge.edge_app.folders import Folders
from osteo_edge.litert_trial import open_fastest
from osteo_edge.runtime import Interpreter, Prediction, open_interpreter
from osteo_edge.screening import screen
from tests.java_like_android import classes_found_by_workers, hide_app_classes_from_workers
from tests.litert_behind_java import put_litert_behind

T = TypeVar("T")
BUNDLES = Path(sys.argv[1])
DESKTOP = backends.BACKENDS[0]
LIBRARY = put_litert_behind()
DOUBLES = autoclass("org.tensorflow.lite.Doubles")
GPU_LIST = autoclass("org.tensorflow.lite.gpu.CompatibilityList")
GPU_DELEGATE = autoclass("org.tensorflow.lite.gpu.GpuDelegate")
NATIVE = autoclass("org.tensorflow.lite.TensorFlowLite")
JAVA_THREAD = autoclass("java.lang.Thread")


def titles() -> list[str]:
    return [backend.title for backend in backends.installed_backends()]


def before_it_is_prepared() -> Any:
    return {"titles": titles(), "gpu": litert_gpu.is_prepared(), "loading": refused(lambda: load("whole-int8"))}


def prepared_where_it_cannot_be() -> Any:
    elsewhere = on_worker(lambda: refused(litert_java.prepare))
    NATIVE.missing = True
    without_library = refused(litert_java.prepare)
    NATIVE.missing = False
    with patch.object(litert_java, "CLASSES", ("org.tensorflow.lite.Interpreters",)):
        without_class = refused(litert_java.prepare)
    return {"elsewhere": elsewhere, "without_library": without_library, "without_class": without_class}


def prepared() -> Any:
    litert_java.prepare()
    return {"titles": titles()}


def outputs() -> Any:
    """Loaded and run on a worker, like on the phone; LiteRT's own answers are those of its wheel."""
    return {path.name: on_worker(lambda: compare(path)) for path in sorted(BUNDLES.glob("whole-*"))}  # noqa: B023


def compare(path: Path) -> Any:
    bundle = read_bundle(path)
    java, desktop = open_interpreter(bundle, threads=2), open_interpreter(bundle, threads=1, backend=DESKTOP)
    pairs = [(java.run(film), desktop.run(film)) for film in films(bundle, 3)]
    return {
        "name": java.name,
        "equal": all(same(ours, theirs) for ours, theirs in pairs),
        "differ_among_themselves": not same(pairs[0][0], pairs[1][0]),
        "map": pairs[0][0].activation_map is not None,
        "options": LIBRARY.opened[-1],
    }


def references_left_by_a_run() -> Any:
    bundle = read_bundle(BUNDLES / "whole-int8")
    model, (film,) = open_interpreter(bundle, threads=1), films(bundle, 1)

    def run() -> int:
        model.run(film)
        before = classes_found_by_workers()
        for _ in range(20):
            model.run(film)
        return classes_found_by_workers() - before

    return on_worker(run)


def classes_asked_for_by_workers() -> Any:
    return {"asked": ASKED, "hidden": on_worker(lambda: refused(lambda: autoclass("org.tensorflow.lite.Unprepared")))}


def ends() -> Any:
    found = {}
    for kind in ("FLOAT32", "INT8", "UINT8", "INT16", "INT32", "INT64"):
        model = litert_java.Interpreter(str(echo(f"{kind} 1,2,3 0.1 -3")), 1)
        (given,), (got,) = model.get_input_details(), model.get_output_details()
        values = (np.arange(6) * 40).astype(given["dtype"]).reshape(1, 2, 3)
        model.set_tensor(given["index"], values)
        model.invoke()
        back = model.get_tensor(got["index"])
        found[kind] = {
            "dtype": np.dtype(given["dtype"]).name,
            "shape": given["shape"].tolist(),
            "quantization": given["quantization"],
            "indices": [given["index"], got["index"]],
            "equal": back.dtype == values.dtype and bool(np.array_equal(back, values)),
        }
    return found


def misuse() -> Any:
    model = litert_java.Interpreter(str(echo("INT8 1,2,3 0.1 -3")), 1)
    found = {
        "shape": refused(lambda: model.set_tensor(0, np.zeros((1, 3, 2), np.int8))),
        "dtype": refused(lambda: model.set_tensor(0, np.zeros((1, 2, 3), np.float32))),
        "odd": refused(lambda: litert_java.Interpreter(str(echo("BOOL 1,2,3 0.1 -3")), 1)),
        "two": refused(lambda: litert_java.Interpreter(str(echo("INT8 1,2,3 0.1 -3 inputs=2")), 1)),
    }
    model.close()
    model.close()
    return {**found, "closed": refused(model.invoke), "open": open_models()}


def bad_models() -> Any:
    return {path.name: refused(lambda: load(path.name)) for path in sorted(BUNDLES.glob("bad-*"))}  # noqa: B023


def memory() -> Any:
    before = open_models()
    models = [load("whole-int8") for _ in range(3)]
    loaded = open_models()
    on_worker(models.pop)
    dropped = open_models()
    models[0].itself = models[0]  # type: ignore[attr-defined]
    models.clear()
    gc.collect()
    return {"before": before, "loaded": loaded, "dropped": dropped, "collected": open_models()}


def dropping_in_anothers_turn() -> Any:
    before, model = open_models(), load("whole-int8")
    started = time.perf_counter()
    with litert_java.turn():
        del model
        waited_s, in_turn = time.perf_counter() - started, DOUBLES.openInterpreters()
    return {"waited_s": waited_s, "in_turn": in_turn - before, "after": open_models() - before}


def closing_that_fails() -> Any:
    class Broken:
        def close(self) -> None:
            raise RuntimeError("cannot be closed")

    lines: list[str] = []
    with patch.object(logging.getLogger("osteo_edge.litert_java"), "exception", lines.append), litert_java.turn():
        litert_java._dropped.append(Broken())
        litert_java._dropped.append(Broken())
    return {"lines": lines, "left": len(litert_java._dropped)}


def threads_at_once() -> Any:
    """Two models on two threads, each giving back what it takes: nothing of the other's may come back."""
    path = str(echo("FLOAT32 1,64 0 0"))

    def count_wrong(number: float) -> int:
        model, wrong = litert_java.Interpreter(path, 1), 0
        for turn in range(300):
            values = np.full((1, 64), number + turn, np.float32)
            model.set_tensor(0, values)
            model.invoke()
            wrong += not np.array_equal(model.get_tensor(1), values)
        return wrong

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(count_wrong, (0.0, 1000.0)))
    sys.setswitchinterval(interval)
    return {"wrong": found}


def threads_one_after_another() -> Any:
    """pyjnius detaches a thread at its end, since it believes to be on Android."""
    bundle = read_bundle(BUNDLES / "whole-int8")
    model, (film,) = open_interpreter(bundle, threads=1), films(bundle, 1)
    before, first = JAVA_THREAD.activeCount(), model.run(film)
    answers = [on_worker(lambda: (model.run(film), JAVA_THREAD.activeCount())) for _ in range(5)]
    return {
        "equal": all(same(first, answer) for answer, _ in answers),
        "during": [count - before for _, count in answers],
        "after": JAVA_THREAD.activeCount() - before,
    }


def gpu_before_it_is_prepared() -> Any:
    return trial()


def gpu_prepared() -> Any:
    return {"elsewhere": on_worker(lambda: refused(litert_gpu.prepare)), "prepared": litert_gpu.prepare()}


def gpu_chosen() -> Any:
    seen: list[str] = []

    def look(outputs: list[Any]) -> list[Any]:
        seen.append(f"{mark().read_text('utf-8') if mark().exists() else 'no mark'} {bool(LIBRARY.opened[-1][2])}")
        return outputs

    LIBRARY.on_gpu = look
    found = trial(keep=True)
    chosen = found.pop("interpreter")
    bundle = read_bundle(BUNDLES / "whole-float32")
    (film,) = films(bundle, 1)
    desktop = open_interpreter(bundle, backend=DESKTOP)
    same_later = same(on_worker(partial(chosen.run, film)), desktop.run(film))
    delegates, models = GPU_DELEGATE.open, open_models()
    del chosen
    wait_until(lambda: GPU_DELEGATE.open == 0)
    return {
        **found,
        "seen": seen,
        "same_later": same_later,
        "delegates": [delegates, GPU_DELEGATE.open],
        "models": models - open_models(),
        "precision_loss": GPU_DELEGATE.lastAllowedPrecisionLoss,
        "lists": GPU_LIST.open,
    }


def gpu_not_on_the_list() -> Any:
    GPU_LIST.supported = False
    found = trial()
    GPU_LIST.supported = True
    return found


def gpu_with_other_answers() -> Any:
    def shifted(by: float) -> Callable[[list[Any]], list[Any]]:
        return lambda outputs: [np.float32(output + by * (output.size == 3)) for output in outputs]

    found = {}
    for name, change in {
        "a_little": shifted(0.01),
        "too_much": shifted(0.1),
        "no_number": shifted(float("nan")),
        "map": lambda outputs: [output if output.size == 3 else -output for output in outputs],
    }.items():
        LIBRARY.on_gpu = change
        found[name] = trial()
    LIBRARY.on_gpu = lambda outputs: outputs
    return found


def gpu_that_fails() -> Any:
    wait_until(lambda: open_models() == 0)
    LIBRARY.refuses_gpu = "Internal error: Cannot create interpreter: Can not open OpenCL library"
    found = {"opening": trial()}
    LIBRARY.refuses_gpu = ""
    found["odd"] = refused(lambda: litert_gpu.Interpreter(str(echo("BOOL 1,2,3 0.1 -3")), 1))
    wait_until(lambda: GPU_DELEGATE.open == 0)
    return {**found, "delegates": GPU_DELEGATE.open, "models": open_models()}


def gpu_after_a_crash() -> Any:
    mark().parent.mkdir(parents=True, exist_ok=True)
    mark().write_text("1.4.1")
    opened = len(LIBRARY.opened)
    found = {
        "same_version": trial(),
        "is_marked": mark().exists(),
        "tried": [gpu for *_, gpu in LIBRARY.opened[opened:]],
    }
    mark().write_text("1.4.0")
    found["other_version"] = trial()
    found["is_marked_after"] = mark().exists()
    mark().mkdir()
    found["unreadable"] = trial()
    mark().rmdir()
    return {**found, "unwritable": trial(mark().with_name("x" * 250))}  # with ".partial" too long for a name


def clinic() -> Any:
    found = screened(Clinic(Folders(BUNDLES / "data"), bundle=BUNDLES / "whole-demo"))
    bundle = read_bundle(BUNDLES / "whole-demo")
    _, desktop = screen(DRAWN_FILM, bundle, open_interpreter(bundle, backend=DESKTOP), any_film=True)
    return {**found, "desktop": desktop.score}


def clinic_on_the_gpu() -> Any:
    folders = Folders(BUNDLES / "data")
    found = screened(Clinic(folders, bundle=BUNDLES / "whole-demo"))
    return {**found, "is_marked": folders.gpu_trial.exists()}


def screened(clinic: Clinic) -> Any:
    """What the model in use answers to the drawn film; how many are open with it, when it is forgotten, with the
    next one, and in the end."""
    wait_until(lambda: open_models() == 0)
    answers = [on_worker(partial(clinic.screen, DRAWN_FILM))]
    opened = [open_models()]
    clinic.forget_model()
    wait_until(lambda: open_models() == 0)
    opened.append(open_models())
    answers.append(on_worker(partial(clinic.screen, DRAWN_FILM)))
    opened.append(open_models())
    clinic.close()
    wait_until(lambda: open_models() == 0)
    opened.append(open_models())
    screening = answers[-1].screening
    return {"runtime": screening.runtime, "score": screening.score, "open": opened}


def figures() -> Any:
    """What it takes to put a film of 224 x 224 into Java, and to get the answers: medians of 50, in microseconds."""
    film_size, answer_size = (1, 224, 224, 3), (1, 7, 7, 3)
    taken = {}
    for name, size in (("film", film_size), ("map", answer_size)):
        model = litert_java.Interpreter(str(echo(f"FLOAT32 {','.join(map(str, size))} 0 0")), 1)
        values = np.random.default_rng(0).random(size, np.float32)
        puts = [timed(lambda: model.set_tensor(0, values)) for _ in range(50)]  # noqa: B023
        gets = [timed(lambda: model.get_tensor(1)) for _ in range(50)] if name == "map" else []  # noqa: B023
        taken[name] = {"put_us": float(np.median(puts)), "get_us": float(np.median(gets)) if gets else None}
    return taken


def trial(marked: Path | None = None, *, keep: bool = False) -> Any:
    bundle, lines = read_bundle(BUNDLES / "whole-float32"), list[str]()
    found = open_fastest(bundle, films(bundle, 2), mark=marked or mark(), threads=1, tell=lines.append)
    result = {"name": found.name, "lines": lines, "is_marked": mark().is_file()}
    return {**result, "interpreter": found} if keep else result


def mark() -> Path:
    return BUNDLES / "marks" / "gpu-trial"


def load(name: str) -> Interpreter:
    return open_interpreter(read_bundle(BUNDLES / name), threads=1, backend=backends.ANDROID)


def echo(model: str) -> Path:
    path = BUNDLES / "echo.tflite"
    path.write_text(f"ECHO {model}")
    return path


def films(bundle: Bundle, count: int) -> list[Any]:
    spec, random = bundle.manifest.input, np.random.default_rng(0)
    size = (1, spec.height, spec.width, spec.channels)
    return [random.uniform(-1, 1, size).astype(np.float32) * (place + 1) / count for place in range(count)]


def same(one: Prediction, other: Prediction) -> bool:
    ours, theirs = vars(one), vars(other)
    return all(
        (ours[name] is None) == (theirs[name] is None)
        and (ours[name] is None or np.array_equal(ours[name], theirs[name]))
        for name in ours
    )


def open_models() -> int:
    with litert_java.turn():
        return int(DOUBLES.openInterpreters())


def refused(work: Callable[[], object]) -> str:
    try:
        work()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "nothing was raised"


def on_worker(work: Callable[[], T]) -> T:
    found: list[T] = []
    problems: list[BaseException] = []

    def do() -> None:
        try:
            found.append(work())
        except BaseException as error:
            problems.append(error)

    thread = threading.Thread(target=do)
    thread.start()
    thread.join()
    if problems:
        raise problems[0]
    return found[0]


def wait_until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + 5
    while not is_so() and time.monotonic() < end:
        time.sleep(0.01)


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1e6


def observed(work: Callable[[], Any]) -> Any:
    try:
        return work()
    except BaseException:
        return {"problem": traceback.format_exc()}


gc.disable()  # nothing may wait for a collection of garbage to be closed
ASKED = hide_app_classes_from_workers()
FOUND = {
    work.__name__: observed(work)
    for work in (
        before_it_is_prepared,
        prepared_where_it_cannot_be,
        prepared,
        outputs,
        ends,
        misuse,
        bad_models,
        memory,
        dropping_in_anothers_turn,
        closing_that_fails,
        threads_at_once,
        threads_one_after_another,
        references_left_by_a_run,
        clinic,
        gpu_before_it_is_prepared,
        gpu_prepared,
        gpu_chosen,
        gpu_not_on_the_list,
        gpu_with_other_answers,
        gpu_that_fails,
        gpu_after_a_crash,
        clinic_on_the_gpu,
        figures,
        classes_asked_for_by_workers,
    )
}
sys.stdout.write(json.dumps(FOUND))
sys.stdout.flush()
os._exit(0)  # what would be tidied up now is none of the app's
