"""Published times on a board, and the instruction counts of the same network here, to scale other counts by."""

from dataclasses import dataclass

from osteo_edge.benchmarks.emulation.published import NETWORK, PI_3B_PLUS, PI_4, PUBLISHED, XNNPACK, Model

SOURCE = "XNNPACK README, 8 February 2022"


@dataclass(frozen=True)
class Calibration:
    """A published time of a network, and how many instructions one thread takes for that network under emulation.

    The time is that of `threads` threads on the board `model`, and so is every estimate, though one thread is counted
    here. Only models that compute in the same type, on the same runtime and processor, scale by it: an int8 instruction
    and a floating-point one take unlike times. `code` is what the published time ran as.
    """

    model: Model
    runtime: str
    precisions: tuple[str, ...]
    published_ms: float
    threads: int
    instructions: int
    code: str

    @property
    def cpu(self) -> str:
        return self.model.cpu

    def estimate_ms(self, instructions: int) -> float:
        """The published time times the ratio of the counts."""
        return self.published_ms * instructions / self.instructions

    def __str__(self) -> str:
        types = " and ".join(self.precisions)
        scale = f"{self.instructions / 1e6:.1f} million instructions here"
        where = f"{SOURCE}: {NETWORK} on a Raspberry Pi {self.model.name} ({self.code})"
        published = f"{self.published_ms:g} ms ({where}, {self.threads} threads)"
        return f"{types} on {self.cpu}: scaled from {published}, {scale}"


def _calibration(model: Model, precisions: tuple[str, ...], instructions: int, code: str) -> Calibration:
    (found,) = (
        one
        for one in PUBLISHED
        if (one.board, one.network, one.precision, one.source) == (model, NETWORK, precisions[0], XNNPACK)
    )
    assert found.threads is not None
    return Calibration(model, "LiteRT", precisions, found.milliseconds, found.threads, instructions, code)


CALIBRATIONS = (
    _calibration(PI_4, ("float32", "float16"), 122_850_000, "ARM64"),
    _calibration(PI_4, ("int8",), 113_380_000, "ARM64"),
    _calibration(PI_3B_PLUS, ("float32", "float16"), 195_150_000, "32-bit"),
    _calibration(PI_3B_PLUS, ("int8",), 131_660_000, "32-bit"),
)
"""Counted with this package on MobileNetV2 1.0 at 224 x 224. float16 files hold float16 weights but compute in float32
there. No time of this network with XNNPACK on a Cortex-A76 board has been published that is known of."""


def find_calibration(cpu: str, runtime: str, precision: str | None) -> Calibration | None:
    """What to scale by for that processor, runtime ("LiteRT") and precision of the model; None where nothing fits."""
    for calibration in CALIBRATIONS:
        if (calibration.cpu, calibration.runtime) == (cpu, runtime) and precision in calibration.precisions:
            return calibration
    return None
