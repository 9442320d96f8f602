"""The copy of a network that is trained: under a strategy, in mixed precision if asked for, with repeatable dropout."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from osteo_edge.train.config import TrainConfig
from osteo_edge.train.distribution import check_divides
from osteo_edge.train.keras import load_tensorflow
from osteo_edge.train.models import Network
from osteo_edge.train.objectives import example_losses

Weights = list[npt.NDArray[Any]]
FLOAT32_LAYERS = ("activation_map", "logits")


@dataclass(frozen=True, eq=False)
class TrainingCopy:
    """A network in training. Its weights are float32 whatever it computes in, and fit the network it was made from."""

    strategy: Any
    model: Any
    optimizer: Any
    step: Any

    def set_rate(self, rate: float) -> None:
        """Let the next steps use this learning rate."""
        self.optimizer.learning_rate.assign(rate)

    def weights(self) -> Weights:
        """The weights; with several workers all must ask at the same time."""
        return list(self.model.get_weights())

    def optimizer_state(self) -> Weights:
        """The steps done and Adam's moments."""
        return [variable.numpy() for variable in self.optimizer.variables]

    def restore(self, weights: Weights, optimizer_state: Weights) -> None:
        """Put back what `weights` and `optimizer_state` gave."""
        with self.strategy.scope():
            self.model.set_weights(weights)
            for variable, value in zip(self.optimizer.variables, optimizer_state, strict=True):
                variable.assign(value)


def open_copy(network: Network, config: TrainConfig, strategy: Any, element_spec: Sequence[Any]) -> TrainingCopy:
    """Copy the network into the strategy's scope, with its weights and what of it is trainable.

    `element_spec` is that of the batches that `step` will be given; it returns the mean loss of a batch.
    """
    tensorflow, keras = load_tensorflow()
    check_divides(config, strategy)
    with strategy.scope():
        optimizer = keras.optimizers.Adam(1.0)
        if computes_in_float16(config):
            optimizer = keras.mixed_precision.LossScaleOptimizer(optimizer)
        model = _clone(network.model, config, optimizer)
        optimizer.build(model.trainable_variables)
    step = tensorflow.function(_step(model, optimizer, strategy, config), input_signature=list(element_spec))
    return TrainingCopy(strategy, model, optimizer, step)


def computes_in_float16(config: TrainConfig) -> bool:
    """Whether mixed precision is asked for and there is a GPU for it."""
    tensorflow, _ = load_tensorflow()
    return config.mixed_precision and bool(tensorflow.config.list_physical_devices("GPU"))


def _clone(model: Any, config: TrainConfig, optimizer: Any) -> Any:
    _, keras = load_tensorflow()
    half = computes_in_float16(config)

    def copy(layer: Any) -> Any:
        settings = layer.get_config()
        if half and layer.name not in FLOAT32_LAYERS:
            settings["dtype"] = "mixed_float16"
        if isinstance(layer, keras.layers.Dropout):
            return _repeatable(type(layer), config.seed, optimizer).from_config(settings)
        return type(layer).from_config(settings)

    made = keras.models.clone_model(model, clone_function=copy)
    made.set_weights(model.get_weights())
    return made


def _repeatable(kind: Any, seed: int, optimizer: Any) -> Any:
    """The dropout layer `kind` with masks that depend on the seed, the step and the replica alone.

    Keras's own keep a hidden state that no checkpoint holds, so a resumed run would drop otherwise.
    """
    tensorflow, _ = load_tensorflow()

    class RepeatableDropout(kind):  # type: ignore[misc]
        def call(self, inputs: Any, training: Any = None) -> Any:
            if not training or not self.rate:
                return inputs
            context = tensorflow.distribute.get_replica_context()
            replica = context.replica_id_in_sync_group if context else 0
            step = tensorflow.cast(optimizer.iterations, tensorflow.int32)
            own = np.int32(zlib.crc32(f"{seed}:{self.name}".encode()) & 0x7FFFFFFF)
            mask_seed = tensorflow.stack([own + tensorflow.cast(replica, tensorflow.int32), step])
            return tensorflow.nn.experimental.stateless_dropout(
                inputs, self.rate, seed=mask_seed, noise_shape=self._get_noise_shape(inputs)
            )

    return RepeatableDropout


def _step(model: Any, optimizer: Any, strategy: Any, config: TrainConfig) -> Any:
    tensorflow, _ = load_tensorflow()
    half = computes_in_float16(config)

    def on_replica(images: Any, targets: Any) -> Any:
        with tensorflow.GradientTape() as tape:
            losses = example_losses(targets, model(images, training=True)[0], config)
            loss = tensorflow.reduce_mean(losses) / strategy.num_replicas_in_sync
            scaled = optimizer.get_scaled_loss(loss) if half else loss
        gradients = tape.gradient(scaled, model.trainable_variables)
        if half:
            gradients = optimizer.get_unscaled_gradients(gradients)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss

    def step(images: Any, targets: Any) -> Any:
        found = strategy.run(on_replica, args=(images, targets))
        return strategy.reduce(tensorflow.distribute.ReduceOp.SUM, found, axis=None)

    return step
