"""The types of numbers that a TFLite model takes and gives."""

from typing import Literal

NumberType = Literal["float32", "int16", "int8", "uint8"]
