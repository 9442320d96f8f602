"""Published times on a board, and the instruction counts of the same network here, to scale other counts by."""

from dataclasses import dataclass

SOURCE = "XNNPACK README, 8 February 2022: MobileNetV2 1.0 on a Raspberry Pi 4 (ARM64), 4 threads"


@dataclass(frozen=True)
class Calibration:
    """A published time of a network, and how many instructions one thread takes for that network under emulation.

    Only models that compute in the same type, on the same runtime and processor, scale by it: an int8 instruction and
    a floating-point one take unlike times.
    """

    cpu: str
    runtime: str
    precisions: tuple[str, ...]
    published_ms: float
    instructions: int

    def estimate_ms(self, instructions: int) -> float:
        """The published time times the ratio of the counts."""
        return self.published_ms * instructions / self.instructions

    def __str__(self) -> str:
        types = " and ".join(self.precisions)
        scale = f"{self.instructions / 1e6:.1f} million instructions here"
        return f"{types} on {self.cpu}: scaled from {self.published_ms:g} ms ({SOURCE}), {scale}"


CALIBRATIONS = (
    Calibration("cortex-a72", "LiteRT", ("float32", "float16"), 46.0, 122_850_000),
    Calibration("cortex-a72", "LiteRT", ("int8",), 17.0, 113_380_000),
)
"""Counted with this package on MobileNetV2 1.0 at 224 x 224. float16 files hold float16 weights but compute in float32
there. No time of this network with XNNPACK on a Cortex-A76 board has been published that is known of."""


def find_calibration(cpu: str, runtime: str, precision: str | None) -> Calibration | None:
    """What to scale by for that processor, runtime ("LiteRT") and precision of the model; None where nothing fits."""
    for calibration in CALIBRATIONS:
        if (calibration.cpu, calibration.runtime) == (cpu, runtime) and precision in calibration.precisions:
            return calibration
    return None
