"""Train a network so that it answers well with what int8 leaves of it (Jacob et al. 2018, arXiv 1712.05877).

By the wrappers of TensorFlow's model optimization toolkit, but with a `QuantizeConfig` of this module for every layer.
The toolkit's own 8-bit scheme refuses the multiplication of EfficientNet's squeeze-excite, takes a swish for one
operator where TensorFlow Lite computes a sigmoid and a product and rounds both, and gives a depthwise kernel one scale.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from osteo_edge.train.int8_ranges import TensorRanges
from osteo_edge.train.int8_rounding import (
    Kept,
    KernelRounding,
    OutputRounding,
    kernel_rounding,
    rounded,
    rounded_activation,
)
from osteo_edge.train.int8_tensors import SIGMOIDS, activation_of, is_laid_out
from osteo_edge.train.keras import load_tensorflow
from osteo_edge.train.models import MAP_LAYER
from osteo_edge.train.pruning import is_compressed, load_toolkit
from osteo_edge.train.refit import Student
from osteo_edge.train.training_copy import Weights

KERNELS = ("kernel", "depthwise_kernel", "pointwise_kernel")


@dataclass(frozen=True, eq=False)
class Int8Layer:
    """The `QuantizeConfig` of one layer: the roundings of its kernels by attribute, and what it ends in instead of its
    own activation and output, where these are rounded."""

    kernels: Mapping[str, KernelRounding]
    activation: Callable[[Any], Any] | None
    output: OutputRounding | None

    @property
    def changes_anything(self) -> bool:
        """Whether the layer is to compute otherwise than it does."""
        return bool(self.kernels) or self.activation is not None or self.output is not None

    def get_weights_and_quantizers(self, layer: Any) -> list[tuple[Any, KernelRounding]]:
        """The kernels with their roundings."""
        return [(getattr(layer, name), rounding) for name, rounding in self.kernels.items()]

    def set_quantize_weights(self, layer: Any, quantize_weights: Sequence[Any]) -> None:
        """Let the layer work with the rounded kernels."""
        for name, weights in zip(self.kernels, quantize_weights, strict=True):
            setattr(layer, name, weights)

    def get_activations_and_quantizers(self, layer: Any) -> list[Any]:
        """None: the toolkit would round a swish but once."""
        return []

    def set_quantize_activations(self, layer: Any, quantize_activations: Sequence[Any]) -> None:
        """Let the layer end in the rounded activation."""
        if self.activation is not None:
            layer.activation = self.activation

    def get_output_quantizers(self, layer: Any) -> list[OutputRounding]:
        """What rounds the output, if it is."""
        return [] if self.output is None else [self.output]


def int8_student(model: Any, ranges: TensorRanges, kept: Kept | None = None) -> Student:
    """A copy of the model that computes as its int8 TFLite file will, and is judged by that.

    Batch normalization keeps its statistics, but its scales and offsets are trained: converted, these are part of the
    kernels and biases. What is `kept` of an earlier compression stays in the kernels that `is_compressed` names.
    """
    _, keras = load_tensorflow()
    copy = keras.models.clone_model(model, clone_function=_with_fixed_statistics)
    copy.set_weights(model.get_weights())
    roundings = {layer.name: _roundings(layer, kept) for layer in copy.layers if not _is_laid_out_head(layer)}
    plain = _plain_weights(copy, roundings)

    def wrap(layer: Any) -> Any:
        ends = None if activation_of(layer) == "sigmoid" else ranges.outputs.get(layer.name)
        output = None if ends is None else OutputRounding(ends)
        config = Int8Layer(roundings.get(layer.name, {}), _activation(layer, ranges), output)
        return load_toolkit().quantization.keras.QuantizeWrapperV2(layer, config) if config.changes_anything else layer

    simulated = keras.models.clone_model(copy, clone_function=wrap)
    image = keras.Input(model.input_shape[1:])
    given = keras.layers.Lambda(lambda values: rounded(values, ranges.image))(image)
    return Student(keras.Model(image, simulated(given)), plain, is_judged=True)


def _roundings(layer: Any, kept: Kept | None) -> dict[str, KernelRounding]:
    """How each of the layer's kernels is rounded."""
    found = {name: getattr(layer, name) for name in KERNELS if hasattr(layer, name)}
    keep = kept if is_compressed(layer) else None
    return {name: kernel_rounding(kernel.numpy(), _channels(name, kernel), keep) for name, kernel in found.items()}


def _channels(name: str, kernel: Any) -> int:
    """The output channels of a kernel; a depthwise one has some for each input channel."""
    *_, inputs, outputs = kernel.shape
    return int(inputs * outputs if name == "depthwise_kernel" else outputs)


def _plain_weights(model: Any, roundings: Mapping[str, Mapping[str, KernelRounding]]) -> Callable[[], Weights]:
    """Reads the plain network's weights off the variables that the model has now, before wrappers take them over."""
    by_variable = {
        id(getattr(layer, name)): rounding
        for layer in model.layers
        for name, rounding in roundings.get(layer.name, {}).items()
    }
    variables = [weight for layer in model.layers for weight in layer.weights]

    def weights() -> Weights:
        found = [(variable, by_variable.get(id(variable))) for variable in variables]
        return [one.numpy() if rounding is None else rounding.for_plain_network(one) for one, rounding in found]

    return weights


def _activation(layer: Any, ranges: TensorRanges) -> Callable[[Any], Any] | None:
    name = activation_of(layer)
    return rounded_activation(name, ranges.before_sigmoid.get(layer.name)) if name in SIGMOIDS else None


def _is_laid_out_head(layer: Any) -> bool:
    """Whether the layer is the head over a join, where conversion gives each part a kernel and scales of its own."""
    if layer.name != MAP_LAYER:
        return False
    (dropout,) = (node.inbound_layers for node in layer.inbound_nodes)
    return any(is_laid_out(node.inbound_layers) for node in dropout.inbound_nodes)


def _with_fixed_statistics(layer: Any) -> Any:
    """A copy of the layer, without its weights; batch normalization with scales and offsets to be trained."""
    if type(layer).__name__ != "BatchNormalization":
        return type(layer).from_config(layer.get_config())
    copy = _fixed_batch_normalization().from_config(layer.get_config())
    copy.trainable = True
    return copy


@cache
def _fixed_batch_normalization() -> Any:
    _, keras = load_tensorflow()

    class FixedBatchNormalization(keras.layers.BatchNormalization):  # type: ignore[misc, name-defined]
        """Normalizes by the statistics it came with, in training too, and leaves them as they are."""

        def call(self, inputs: Any, training: Any = None) -> Any:
            return super().call(inputs, training=False)

    return FixedBatchNormalization
