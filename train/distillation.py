"""Teach a compressed network with the answers of the one it was made from."""

from dataclasses import dataclass
from typing import Any

from osteo_edge.train.keras import load_tensorflow


@dataclass(frozen=True)
class Distillation:
    """How much of the loss comes from the teacher, 0 to 1, and at which temperature its answers are softened.

    Both are Hinton et al. 2015 (arXiv 1503.02531), where temperatures from 2.5 to 4 served small networks best.
    """

    weight: float = 0.5
    temperature: float = 4.0


HALF_AND_HALF = Distillation()


def distilled_losses(losses: Any, logits: Any, teacher_logits: Any, distillation: Distillation) -> Any:
    """Blend the losses of examples, (n,), with the divergence from the teacher; logits are tensors (n, labels).

    (1 - weight) * loss + weight * temperature^2 * KL(teacher || student): the square keeps the gradients of both alike
    in size whatever the temperature (Hinton et al. 2015, section 2).
    """
    apart = divergences(logits, teacher_logits, distillation.temperature)
    return (1 - distillation.weight) * losses + distillation.weight * distillation.temperature**2 * apart


def divergences(logits: Any, teacher_logits: Any, temperature: float = 1.0) -> Any:
    """KL(teacher || student) of each example, tensors (n, labels) to (n,), both softened by the temperature."""
    tensorflow, _ = load_tensorflow()
    log_taught = tensorflow.nn.log_softmax(teacher_logits / temperature)
    log_learnt = tensorflow.nn.log_softmax(logits / temperature)
    return tensorflow.reduce_sum(tensorflow.exp(log_taught) * (log_taught - log_learnt), axis=-1)
