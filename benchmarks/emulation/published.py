"""Times that others have published for networks like ours on Raspberry Pi boards, each with where it stands."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Model:
    """A Raspberry Pi, the core that its instructions are counted for, and its clock."""

    name: str
    cpu: str
    clock_mhz: int


@dataclass(frozen=True)
class Source:
    """Where figures were published, and what is to be known about them."""

    title: str
    url: str
    about: str


@dataclass(frozen=True)
class Published:
    """One time, in milliseconds for one image, of a network in a runtime on a board; `threads` None is not said."""

    board: Model
    network: str
    precision: str
    threads: int | None
    milliseconds: float
    source: Source


ZERO_2_W = Model("Zero 2 W", "cortex-a53", 1000)
PI_3B_PLUS = Model("3B+", "cortex-a53", 1400)
PI_4 = Model("4", "cortex-a72", 1500)
PI_5 = Model("5", "cortex-a76", 2400)
MODELS = (ZERO_2_W, PI_3B_PLUS, PI_4, PI_5)

XNNPACK = Source(
    "XNNPACK",
    "https://github.com/google/XNNPACK",
    "its README's table of 8 February 2022; random weights. The Pi 4 ran 64-bit code, the Pi 3B+ 32-bit code, which on "
    "the Pi 4 takes 0.9 times as long in float32 and 1.2 times in int8 by the same table",
)
NCNN = Source(
    "ncnn",
    "https://github.com/Tencent/ncnn/blob/master/benchmark/README.md",
    "another runtime, means of `benchncnn` with random weights, the Pi 4 at 1.8 GHz. The Zero 2 W ran 32-bit code "
    "(issue 3485). The Pi 5's figures, first added by pull request 5058, were not read again for this page",
)
ALLAN = Source(
    "Allan",
    "https://github.com/aallan/benchmarking-ml-on-the-edge",
    "TensorFlow Lite, an older release on the 3B+ and the 4 than on the 5; an object detector at 300 x 300, so for the "
    "order of the boards only",
)

NETWORK = "MobileNetV2 1.0"
B0 = "EfficientNet-B0"
DETECTOR = "a detector on MobileNetV2"

PUBLISHED = (
    Published(PI_3B_PLUS, NETWORK, "float32", 4, 79.0, XNNPACK),
    Published(PI_3B_PLUS, NETWORK, "int8", 4, 30.0, XNNPACK),
    Published(PI_4, NETWORK, "float32", 4, 46.0, XNNPACK),
    Published(PI_4, NETWORK, "int8", 4, 17.0, XNNPACK),
    Published(ZERO_2_W, NETWORK, "float", 4, 147.39, NCNN),
    Published(PI_3B_PLUS, NETWORK, "float", 4, 111.68, NCNN),
    Published(PI_4, NETWORK, "float", 4, 61.88, NCNN),
    Published(PI_5, NETWORK, "float", 4, 10.5, NCNN),
    Published(ZERO_2_W, B0, "float", 4, 202.14, NCNN),
    Published(PI_3B_PLUS, B0, "float", 4, 135.86, NCNN),
    Published(PI_4, B0, "float", 4, 74.19, NCNN),
    Published(PI_5, B0, "float", 4, 12.3, NCNN),
    Published(ZERO_2_W, NETWORK, "float", 1, 274.23, NCNN),
    Published(PI_3B_PLUS, NETWORK, "float", 1, 158.80, NCNN),
    Published(PI_4, NETWORK, "float", 1, 93.48, NCNN),
    Published(ZERO_2_W, B0, "float", 1, 519.00, NCNN),
    Published(PI_3B_PLUS, B0, "float", 1, 241.27, NCNN),
    Published(PI_4, B0, "float", 1, 129.73, NCNN),
    Published(PI_3B_PLUS, DETECTOR, "", None, 379.6, ALLAN),
    Published(PI_4, DETECTOR, "", None, 112.6, ALLAN),
    Published(PI_5, DETECTOR, "", None, 23.5, ALLAN),
)
