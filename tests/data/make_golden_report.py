"""Make the golden benchmark report of schema 1: `python tests/data/make_golden_report.py`.

A report with something in every field, of numbers that nobody measured. Reports of schema 1 must load for ever: once
the schema has moved on, this file is not made again.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from osteo_edge.benchmarks.measuring.results import (
    BesideBaseline,
    Configuration,
    Energy,
    Fidelity,
    Instructions,
    Latency,
    Machine,
    MachineState,
    Measurement,
    Memory,
    Missing,
    OperatorTime,
    Placement,
    Report,
    Settings,
    Size,
    Stages,
    Tuning,
    Turn,
    Variant,
)
from osteo_edge.benchmarks.measuring.summaries import summarize
from osteo_edge.benchmarks.report.json_file import to_document
from osteo_edge.intervals import Estimate

FILE = Path(__file__).resolve().parent / "report-1.json"
PROCESSES, RUNS = 4, 8
AGREE = Estimate(0.9917, 0.954, 0.9985, 120)


def latency(milliseconds: float, seed: int, delegate: str | None = "XNNPACK") -> Latency:
    rng = np.random.default_rng(seed)
    turns = tuple(
        Turn(
            process,
            10.0 * process + seed,
            tuple(np.round(milliseconds * rng.lognormal(0, 0.03, RUNS), 4).tolist()),
            cpu_ms=16 * milliseconds,
            waited_ms=0.125,
            switches=process,
        )
        for process in range(PROCESSES)
    )
    warm_up = (round(3 * milliseconds, 4), round(1.5 * milliseconds, 4))
    return Latency(summarize(turns), turns, warm_up, (81.5, 80.25, 83.0, 82.0), "2.1.0", delegate)


def variant(folder: str, precision: str, runtime: str, *, is_peer: bool = False) -> Variant:
    name = f"{folder}, {runtime}, 2 threads"
    delegate = None if is_peer else "XNNPACK"
    return Variant(name, f"bundles/{folder}", "mobilenet_v2", precision, "5" * 64, runtime, 2, delegate, is_peer)


def stages(milliseconds: float) -> Stages:
    return Stages(
        cold_start_ms=(612.5, 598.25),
        decode_ms=(21.5, 22.0),
        preprocess_ms=(9.25, 9.5),
        inference_ms=(milliseconds, milliseconds),
        activation_map_ms=(0.5, 0.75),
        end_to_end_ms=(32.0 + milliseconds, 33.0 + milliseconds),
        image="knee.png",
    )


def instructions(cpu: str, total: int, estimated_ms: float | None) -> Instructions:
    return Instructions(
        cpu=cpu,
        emulator="qemu-aarch64 9.2",
        runtime="LiteRT 2.1",
        total=total,
        dot_product=0 if cpu == "cortex-a72" else total // 2,
        multiply_accumulate=total // 2 if cpu == "cortex-a72" else 0,
        load=total // 4,
        store=total // 8,
        other=total // 8,
        uses_xnnpack=True,
        estimated_ms=estimated_ms,
        calibration=None if estimated_ms is None else "46 ms published for MobileNetV2 float on a Pi 4",
        spread=0.0005,
    )


def fidelity(auroc: float) -> Fidelity:
    question = "osteopenia or osteoporosis"
    return Fidelity(
        part="test",
        n=120,
        on_trained_split=True,
        aurocs={question: Estimate(auroc, auroc - 0.05, auroc + 0.03, 120)},
        calibration_error=Estimate(0.06, 0.04, 0.09, 120),
        reference="float32",
        auroc_changes={question: Estimate(-0.002, -0.006, 0.001, 120)},
        decisions_agree=AGREE,
        mean_difference=0.0031,
    )


def placement(milliseconds: float) -> Placement:
    slowest = OperatorTime("CONV_2D", "features", 0.3 * milliseconds, 0.3), OperatorTime("MEAN", "pool", 0.01, 0.001)
    return Placement("XNNPACK", 70, 66, 300_700_000, 300_000_000, {"DEQUANTIZE": 1}, {"MEAN": 4}, slowest)


def baseline(milliseconds: float) -> BesideBaseline:
    return BesideBaseline(
        device="Example GPU",
        precision="float32",
        latency_ratio=Estimate(2.1, 2.05, 2.16, 4),
        images_per_second=1000 / milliseconds,
        baseline_images_per_second=512.5,
        memory_ratio=0.03,
        size_ratio=0.25,
        decisions_agree=AGREE,
        mean_difference=0.0031,
        baseline_batch=32,
        on_accelerator=True,
        has_random_weights=True,
    )


def everything(folder: str, precision: str, milliseconds: float, model_bytes: int, auroc: float) -> Measurement:
    peak, bare = 48_000_000 + model_bytes, 41_000_000
    return Measurement(
        variant=variant(folder, precision, "LiteRT"),
        latency=latency(milliseconds, 1),
        stages=stages(milliseconds),
        memory=Memory(peak, bare, 39_000_000, 2_400_000, True, (peak - 4096, peak, peak + 4096), (bare, bare, bare)),
        size=Size(model_bytes, int(0.8 * model_bytes), 2_260_000, 226_000, 300_700_000),
        placement=placement(milliseconds),
        fidelity=fidelity(auroc),
        energy=Energy("intel-rapl:0", 141.5, 12.25, 1000, 10.0),
        instructions=(instructions("cortex-a72", 60_000_000, 46.0), instructions("cortex-a76", 49_500_000, None)),
        baselines=(baseline(milliseconds),),
    )


def tuning() -> Tuning:
    tried = Configuration(4, True, latency(4.0, 5)), Configuration(2, True, latency(4.1, 6))
    return Tuning("bundles/knee-int8", "LiteRT", tried, 2, Estimate(1.03, 1.01, 1.05, 4), True)


def state(at: str, load: float) -> MachineState:
    return MachineState(at, load, 6_000_000_000, 2400.0, 51.5, ())


def report() -> Report:
    machine = Machine(
        "Example CPU @ 2.40GHz",
        ("avx2", "fma"),
        4,
        8_000_000_000,
        "performance",
        "Linux 6.1 x86_64",
        "3.11.9",
        {"ai-edge-litert": "2.1.0", "numpy": "2.1.0"},
        "0123456789ab",
        state("2026-11-21T10:00:00+00:00", 0.25),
        state("2026-11-21T10:10:00+00:00", 1.5),
    )
    faster = replace(variant("knee-int8", "int8", "onnxruntime", is_peer=True), peer_difference=0.012)
    unprofiled = replace(placement(9.9), slowest=(), slowest_missing="tflite-runtime gives no profile")
    slower = variant("knee-float32", "float32", "tflite-runtime", is_peer=True)
    unstable = "it drifted: the last third took 12 % longer than the first"
    measurements = (
        everything("knee-int8", "int8", 4.1, 2_600_000, 0.91),
        everything("knee-float32", "float32", 8.7, 9_100_000, 0.912),
        Measurement(faster, latency(3.2, 3, None)),
        Measurement(slower, latency(9.9, 4, None), placement=unprofiled, unstable=(unstable,)),
    )
    settings = Settings("quick", 32, 0.1, 600.0, 7)
    why = "openvino is not installed: pip install 'osteo-edge[peers]'"
    missing = (Missing("knee-int8", "openvino", why),)
    at = "2026-11-21T10:10:00+00:00"
    return Report(1, "osteo-edge 0.1.0", at, settings, machine, measurements, missing, (tuning(),))


def main() -> None:
    document: dict[str, Any] = to_document(report())
    FILE.write_text(f"{json.dumps(document, indent=1)}\n", "utf-8")


if __name__ == "__main__":
    main()
