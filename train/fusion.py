"""Several backbones side by side on one image, their feature maps joined (late fusion)."""

from collections.abc import Sequence
from typing import Any

from osteo_edge.preprocessing import Normalization
from osteo_edge.train.backbones import Backbone
from osteo_edge.train.keras import load_tensorflow
from osteo_edge.train.rewiring import rewire


def fuse(backbones: Sequence[Backbone], models: Sequence[Any]) -> Any:
    """One model of the backbones' models, which takes images normalized for the first of them.

    In front of each backbone of another convention stands an affine layer; a grey image becomes three channels there.
    Feature maps of a coarser grid are scaled up to the finest one. Layers are called by backbone and their own name.
    """
    _, keras = load_tensorflow()
    image = keras.Input(models[0].input_shape[1:])
    maps = [
        rewire(model, _converted(image, backbones[0], backbone), prefix=f"{backbone.name}_")
        for backbone, model in zip(backbones, models, strict=True)
    ]
    height, width = (max(features.shape[axis] for features in maps) for axis in (1, 2))
    aligned = [
        features if features.shape[1:3] == (height, width) else keras.layers.Resizing(height, width)(features)
        for features in maps
    ]
    return keras.Model(image, keras.layers.Concatenate(name="joined_features")(aligned))


def conversion(given: Normalization, wanted: Normalization) -> Normalization:
    """The scale and offset, one of each a channel of `wanted`, that lead from one normalization to the other.

    >>> conversion(Normalization((2.0,), (-1.0,)), Normalization((4.0, 2.0), (1.0, 0.0)))
    Normalization(scale=(2.0, 1.0), offset=(3.0, 1.0))
    """
    repeat = len(wanted.scale) // len(given.scale)
    pairs = list(zip(wanted.scale, given.scale * repeat, strict=True))
    scale = tuple(new / old for new, old in pairs)
    offsets = zip(wanted.offset, scale, given.offset * repeat, strict=True)
    return Normalization(scale, tuple(new - ratio * old for new, ratio, old in offsets))


def _converted(image: Any, first: Backbone, backbone: Backbone) -> Any:
    if backbone.normalization == first.normalization:
        return image
    _, keras = load_tensorflow()
    step = conversion(first.normalization, backbone.normalization)
    return keras.layers.Rescaling(list(step.scale), list(step.offset), name=f"{backbone.name}_normalization")(image)
