"""The same films, answered by an emulated Raspberry Pi and by this machine: how far apart the answers are."""

import json
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt
from ai_edge_litert.interpreter import Interpreter

from osteo_edge.bundle import Bundle
from osteo_edge.intervals import Estimate, estimate, wilson
from osteo_edge.preprocessing import lay_out, to_tensor
from osteo_edge.radiograph import read_radiograph
from osteo_edge.runtime import quantize
from osteo_edge.train.phantoms import draw_phantom
from tests.edge_app.pi.emulated import CURRENT, EmulatedPi

Outputs = npt.NDArray[np.int64]

XNNPACK: Final = "Created TensorFlow Lite XNNPACK delegate"
SEED: Final = 7_100_000
"""No patient of the demonstration, whose seeds are below a million, nor of other tests."""
SIZE_PX: Final = 640
PROBE: Final = """\
import json, sys
import numpy as np
from ai_edge_litert.interpreter import Interpreter
interpreter = Interpreter(model_path=sys.argv[1], num_threads=1)
interpreter.allocate_tensors()
given, place = interpreter.get_input_details()[0], int(sys.argv[2])
answers = []
for path in sys.argv[3:]:
    interpreter.set_tensor(given["index"], np.load(path))
    interpreter.invoke()
    answers.append(interpreter.get_tensor(interpreter.get_output_details()[place]["index"])[0].tolist())
print(json.dumps(answers))
"""
"""Answers prepared inputs with what the network itself gives, before any calibration."""


@dataclass(frozen=True)
class Beside:
    """How a processor answers beside x86. Differences are of calibrated probabilities, over all labels."""

    cpu: str
    same_outcome: Estimate
    mean_difference: Estimate
    largest_difference: float

    @property
    def row(self) -> str:
        """The row of a table in Markdown, with 95 % intervals."""
        same, mean = self.same_outcome, self.mean_difference
        return (
            f"| {self.cpu} | {same.n} | {same.value:.3f} ({same.low:.3f} to {same.high:.3f}) "
            f"| {mean.value:.4f} ({mean.low:.4f} to {mean.high:.4f}) | {self.largest_difference:.4f} |"
        )


HEAD: Final = (
    "| processor | films | same outcome as x86 | mean difference of a probability | largest |\n"
    "| --- | --- | --- | --- | --- |"
)


def draw_films(folder: Path, t_scores: Iterable[float]) -> list[Path]:
    """Write a phantom of each density."""
    paths = []
    for number, t_score in enumerate(t_scores):
        paths.append(folder / f"film-{number:02}.png")
        pixels = draw_phantom(t_score, size=SIZE_PX, seed=SEED + number).pixels
        paths[-1].write_bytes(cv2.imencode(".png", pixels)[1].tobytes())
    return paths


def answers_here(bundle: Path, films: Sequence[Path]) -> list[dict[str, Any]]:
    """What `osteo-edge screen` answers on this machine."""
    command = [sys.executable, "-m", "osteo_edge", "screen", bundle, *films, "--json", "--threads", "1"]
    return _parsed(subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False))


def answers_there(pi: EmulatedPi, bundle: str, films: Sequence[Path], cpu: str) -> list[dict[str, Any]]:
    """What the installed command answers; the films lie in the folder that the system sees."""
    names = " ".join(f"/mnt/{film.relative_to(pi.shown)}" for film in films)
    return _parsed(pi.run(f"osteo-edge screen {bundle} {names} --json --threads 1", cpu=cpu))


def beside(cpu: str, here: Sequence[dict[str, Any]], there: Sequence[dict[str, Any]]) -> Beside:
    """Compare the answers to the same films in the same order."""
    same = np.array([one["outcome"] == other["outcome"] for one, other in zip(here, there, strict=True)])
    apart = np.abs(_probabilities(here) - _probabilities(there))
    mean = estimate(lambda cases: float(apart[cases].mean()), len(apart))
    return Beside(cpu, wilson(same), mean, float(apart.max()))


def prepared(film: Path, bundle: Bundle, folder: Path) -> Path:
    """The network's input for a film, as a file."""
    spec = bundle.manifest.input
    pixels = read_radiograph(film).pixels
    path = folder / f"{film.stem}.npy"
    given = Interpreter(str(bundle.model_path)).get_input_details()[0]
    np.save(path, quantize(to_tensor(pixels, spec, lay_out(pixels, spec)), given))
    return path


def outputs_here(bundle: Bundle, inputs: Sequence[Path]) -> Outputs:
    """The logits, in integers, that the network gives on this machine."""
    place = str(bundle.manifest.outputs.logits)
    command = [sys.executable, "-c", PROBE, str(bundle.model_path), place, *map(str, inputs)]
    return np.array(json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout))


def outputs_there(pi: EmulatedPi, model: str, place: int, inputs: Sequence[Path], cpu: str) -> Outputs:
    """The same on the emulated processor, and with XNNPACK, without which its kernels would be others."""
    (pi.shown / "probe.py").write_text(PROBE, "utf-8")
    names = " ".join(f"/mnt/{path.relative_to(pi.shown)}" for path in inputs)
    done = pi.run(f"PYTHONPATH={CURRENT}/lib python3 /mnt/probe.py {model} {place} {names}", cpu=cpu)
    assert done.returncode == 0, done.stderr
    assert XNNPACK in done.stderr
    return np.array(json.loads(done.stdout))


def _parsed(done: "subprocess.CompletedProcess[str]") -> list[dict[str, Any]]:
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def _probabilities(answers: Sequence[dict[str, Any]]) -> npt.NDArray[np.float64]:
    return np.array([list(answer["probabilities"].values()) for answer in answers])
