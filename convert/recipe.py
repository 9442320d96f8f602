"""How a network is converted: a recipe, recorded in the bundle."""

from dataclasses import dataclass
from typing import Any, Literal

from osteo_edge.convert.number_types import NumberType
from osteo_edge.convert.ranges import RangeMethod
from osteo_edge.manifest import Precision

Engine = Literal["ai-edge-quantizer", "tflite-converter"]
RangeChoice = Literal["auto", "min-max", "percentile", "mse"]
AUTO = "auto"

STATIC = ("int8", "int16x8", "mixed")
"""Precisions whose activations are integers with ranges that are known beforehand."""
END_TYPES: dict[Precision, tuple[NumberType, ...]] = {
    "float32": ("float32",),
    "float16": ("float32",),
    "dynamic": ("float32",),
    "int8": ("int8", "uint8", "float32"),
    "int16x8": ("int16", "int8", "float32"),
    "mixed": ("int8", "uint8", "float32"),
}
"""What the input and the outputs may be, the usual first. No kernel turns uint8 into int16."""
CONVERTER_END_TYPES: dict[Precision, tuple[NumberType, ...]] = {**END_TYPES, "int16x8": ("int16", "float32")}


@dataclass(frozen=True)
class Recipe:
    """The choices of one conversion; `ValueError` names the field that does not go with the others.

    `engine` is what makes the integers; None stands for what makes the better models of that precision.
    `ranges` says how the ranges of activations are chosen: `auto` tries all three methods and takes that whose
    logits are nearest to the float network's on the calibration images. `percentile` is where the method of that name
    cuts at both ends. `mixed` names the layers that stay in floating point; None chooses them, layer by layer, until
    probabilities differ by `mixed_difference` on average or the next layer would leave more than `mixed_share` of all
    operators in floating point. None for a type at an end is the usual one.

    The steps before: `split_heads` lays a head over taps out as a sum, `equalize` gives linear channels like ranges and
    `rescale` those of swishes where activations are int8, at the cost of an operator for each. `compensate` fits
    weights to their int8 grid so that outputs change least, with int8 activations to these as well (then `auto` is
    `mse`), and `correct_logits` takes the mean error that is left out of the logits.
    """

    precision: Precision
    engine: Engine | None = None
    ranges: RangeChoice = "auto"
    percentile: float = 99.99
    mixed: tuple[str, ...] | None = None
    mixed_share: float = 0.2
    mixed_difference: float = 0.002
    input_type: NumberType | None = None
    output_type: NumberType | None = None
    split_heads: bool = True
    equalize: bool = True
    rescale: bool = False
    compensate: bool = True
    correct_logits: bool = True

    def __post_init__(self) -> None:
        if not 50 < self.percentile < 100:
            raise ValueError(f"percentile must lie between 50 and 100, not {self.percentile:g}")
        for name in ("mixed_share", "mixed_difference"):
            if not 0 < getattr(self, name) < 1:
                raise ValueError(f"{name} must lie between 0 and 1, not {getattr(self, name):g}")
        if self.mixed is not None and self.precision != "mixed":
            raise ValueError(f"mixed names layers for precision mixed; {self.precision} knows none")
        if self.mixed is not None and not (self.mixed and all(self.mixed)):
            raise ValueError("mixed names no layer; leave it out to have layers chosen")
        self._check_engine()
        self._check_ends()

    @property
    def is_static(self) -> bool:
        """Whether ranges must be known beforehand, so that calibration images are needed."""
        return self.precision in STATIC

    @property
    def has_int8_weights(self) -> bool:
        """Whether weights are rounded to int8, whatever activations are."""
        return self.is_static or self.precision == "dynamic"

    @property
    def has_int8_activations(self) -> bool:
        """Whether activations are int8, but for layers that stay in floating point."""
        return self.precision in ("int8", "mixed")

    @property
    def has_own_ranges(self) -> bool:
        """Whether the ranges are chosen here, not by TensorFlow's converter or while the model runs."""
        return self.is_static and self.maker == "ai-edge-quantizer"

    @property
    def maker(self) -> Engine:
        """The engine; TensorFlow's converter for dynamic, since it leaves alone what gains nothing from int8."""
        return self.engine or ("tflite-converter" if self.precision == "dynamic" else "ai-edge-quantizer")

    @property
    def needs_images(self) -> bool:
        """Whether training images have a part in the conversion."""
        return self.is_static or (
            self.precision == "dynamic" and (self.equalize or self.compensate or self.correct_logits)
        )

    @property
    def activation_bits(self) -> Literal[8, 16]:
        """The bits of activations where they are integers."""
        return 16 if self.precision == "int16x8" else 8

    @property
    def ends(self) -> tuple[NumberType, NumberType]:
        """The types of the input and of the outputs."""
        usual = END_TYPES[self.precision][0]
        return self.input_type or usual, self.output_type or usual

    @property
    def fits_ranges(self) -> bool:
        """Whether weights are fitted for the rounded activations that they will read, over ranges chosen as they go."""
        return self.compensate and self.precision == "int8" and self.has_own_ranges

    @property
    def methods(self) -> tuple[RangeMethod, ...]:
        """The ways to choose ranges that are tried; 16 bits have steps enough for the widest."""
        if self.ranges != "auto":
            return (self.ranges,)
        if self.fits_ranges:
            return ("mse",)
        return ("min-max",) if self.activation_bits == 16 else ("min-max", "percentile", "mse")

    def _check_engine(self) -> None:
        if self.maker == "ai-edge-quantizer":
            return
        if self.precision == "mixed":
            raise ValueError("engine tflite-converter makes no mixed models; take ai-edge-quantizer")
        if self.is_static and self.ranges not in (AUTO, "min-max"):
            raise ValueError(f"ranges {self.ranges} need engine ai-edge-quantizer; tflite-converter knows min-max only")

    def _check_ends(self) -> None:
        allowed = (END_TYPES if self.maker == "ai-edge-quantizer" else CONVERTER_END_TYPES)[self.precision]
        for name in ("input_type", "output_type"):
            wanted = getattr(self, name)
            if wanted is not None and wanted not in allowed:
                raise ValueError(f"{name} of {self.precision} can be {' or '.join(allowed)}, not {wanted}")


PLAIN: dict[str, Any] = {
    "engine": "tflite-converter",
    "split_heads": False,
    "equalize": False,
    "rescale": False,
    "compensate": False,
    "correct_logits": False,
}
"""What the TensorFlow Lite converter makes by itself, to compare with."""
