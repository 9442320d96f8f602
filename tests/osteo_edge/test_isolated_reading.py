"""Reading in a process apart: the same films and errors, whatever a file does to its decoder."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from osteo_edge.errors import MissingExtraError, OsteoEdgeError, RadiographError
from osteo_edge.hashing import sha256_bytes
from osteo_edge.isolated_reading import IsolatedReader, NotStartedError
from osteo_edge.radiograph import read_radiograph
from osteo_edge.reading_protocol import Limits

HOSTILE = Path(__file__).with_name("hostile_decoder.py")
LIMITS = Limits(cpu_s=1, memory_bytes=2**28)
PATIENCE_S = 20.0
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are confined on Linux alone")

RAMP = np.tile(np.linspace(0, 4095, 96).astype(np.uint16), (64, 1))
GREY = np.random.default_rng(0).integers(0, 256, (80, 96), np.uint8)
COLOUR = np.random.default_rng(1).integers(0, 256, (80, 96, 3), np.uint8)


def encoded(suffix: str, image: Any) -> bytes:
    return cv2.imencode(suffix, image)[1].tobytes()


FILES = {
    "grey.png": encoded(".png", GREY),
    "16 bits.png": encoded(".png", RAMP),
    "colour.png": encoded(".png", COLOUR),
    "grey.jpg": encoded(".jpg", GREY),
    "colour.jpeg": encoded(".jpg", COLOUR),
    "grey.bmp": encoded(".bmp", GREY),
    "colour.bmp": encoded(".bmp", COLOUR),
    "grey.tif": encoded(".tif", GREY),
    "16 bits.tiff": encoded(".tif", RAMP),
    "colour.tif": encoded(".tif", COLOUR),
    "a name of a film.png": encoded(".png", GREY),
    "kn\udce9e\n\x1b[2J.png": encoded(".png", GREY),
    "cut off.png": encoded(".png", GREY)[:2000],
    "cut off.jpg": encoded(".jpg", GREY)[:2000],
    "cut off.tif": encoded(".tif", GREY)[:2000],
    "cut off kn\udce9e.png": encoded(".png", GREY)[:2000],
    "small.png": encoded(".png", GREY[:8]),
    "empty.png": b"",
    "text.png": b"no film",
    "text.dcm": b"no film",
    "moving.gif": b"GIF89a" + bytes(100),
}


@pytest.fixture(scope="module")
def read() -> Iterator[IsolatedReader]:
    with IsolatedReader() as reader:
        yield reader


@pytest.fixture(scope="module")
def read_hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IsolatedReader]:
    mark = tmp_path_factory.mktemp("hostile") / "started"
    mark.touch()
    with IsolatedReader([sys.executable, str(HOSTILE), str(mark)], limits=LIMITS) as reader:
        yield reader


@pytest.fixture
def hostile(film: Path) -> Callable[[str], Path]:
    """Make a film whose decoder does a deed."""

    def make(deed: str) -> Path:
        path = film.with_name("hostile.png")
        path.write_bytes(film.read_bytes() + f"#{deed}".encode())
        return path

    return make


def told(read: Callable[[Path], Any], path: Path) -> Any:
    """All that reading a file gives."""
    try:
        found = read(path)
    except OsteoEdgeError as error:
        return isinstance(error, RadiographError), isinstance(error, MissingExtraError), str(error)
    pixels = found.pixels
    return found.source, found.sha256, pixels.shape, pixels.dtype, pixels.tobytes(), pixels.flags.writeable


def problem_of(read: IsolatedReader, path: Path) -> str:
    with pytest.raises(RadiographError) as caught:
        read(path)
    where, _, problem = str(caught.value).partition(": ")
    assert where == str(path)
    assert "\n" not in problem
    return problem


@pytest.mark.parametrize("name", FILES)
def test_a_file_gives_what_it_gives_in_this_process(name: str, read: IsolatedReader, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(FILES[name])
    assert told(read, path) == told(read_radiograph, path)


@pytest.mark.parametrize("name", ["", "nothing.png", "folder.png", "pipe.png"])
def test_what_is_no_file_gives_what_it_gives_in_this_process(name: str, read: IsolatedReader, tmp_path: Path) -> None:
    (tmp_path / "folder.png").mkdir()
    os.mkfifo(tmp_path / "pipe.png")
    assert told(read, tmp_path / name) == told(read_radiograph, tmp_path / name)


@pytest.mark.parametrize(
    "kind", ["plain", "window", "colour", "deflated", "rle", "jpeg 2000", "charset", "cut off", "no image"]
)
def test_a_dicom_file_gives_what_it_gives_in_this_process(kind: str, read: IsolatedReader, tmp_path: Path) -> None:
    path = tmp_path / "film"
    path.write_bytes(dicom_file(kind))
    assert told(read, path) == told(read_radiograph, path)
    assert (len(told(read, path)) == 3) == (kind in ("cut off", "no image"))


def dicom_file(kind: str) -> bytes:
    pydicom = pytest.importorskip("pydicom")
    dataset = pydicom.Dataset()
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    syntaxes = {"deflated": pydicom.uid.DeflatedExplicitVRLittleEndian}
    dataset.file_meta.TransferSyntaxUID = syntaxes.get(kind, pydicom.uid.ExplicitVRLittleEndian)
    dataset.SpecificCharacterSet = ["ISO 2022 IR 6", "ISO 2022 IR 87"] if kind == "charset" else "ISO_IR 192"
    dataset.PatientName = "Yamada^Tarou=山田^太郎"
    dataset.Modality, dataset.BodyPartExamined, dataset.ViewPosition = "DX", "KNEE", "AP"
    stored = COLOUR if kind == "colour" else RAMP
    dataset.Rows, dataset.Columns, dataset.SamplesPerPixel = *stored.shape[:2], 3 if kind == "colour" else 1
    dataset.PhotometricInterpretation = "RGB" if kind == "colour" else "MONOCHROME1"
    if kind == "colour":
        dataset.PlanarConfiguration = 0
    if kind == "window":
        dataset.WindowCenter, dataset.WindowWidth = 1000, 800
    dataset.BitsAllocated = 8 * stored.itemsize
    dataset.BitsStored = 12 if stored.itemsize == 2 else 8
    dataset.HighBit, dataset.PixelRepresentation = dataset.BitsStored - 1, 0
    if kind != "no image":
        dataset.PixelData = stored.tobytes()
        dataset["PixelData"].VR = "OW" if stored.itemsize == 2 else "OB"
    if kind == "rle":
        dataset.compress(pydicom.uid.RLELossless)
    if kind == "jpeg 2000":
        image = pytest.importorskip("PIL.Image")
        frame = BytesIO()
        image.fromarray(RAMP).save(frame, "JPEG2000")
        dataset.PixelData = pydicom.encaps.encapsulate([frame.getvalue()])
        dataset.file_meta.TransferSyntaxUID = pydicom.uid.JPEG2000Lossless
        dataset["PixelData"].VR = "OB"
    file = BytesIO()
    dataset.preamble = bytes(128)
    pydicom.dcmwrite(file, dataset)
    return file.getvalue()[:-3000] if kind == "cut off" else file.getvalue()


@pytest.mark.parametrize(
    "deed",
    ["connect", "local socket", "run", "become", "fork", "read", "write", "list", "look", "remove", "signal", "trace",
     "code", "more", "resize"],
)  # fmt: skip
def test_what_decodes_a_file_is_refused_what_it_has_no_need_of(
    deed: str, read_hostile: IsolatedReader, hostile: Callable[[str], Path]
) -> None:
    assert problem_of(read_hostile, hostile(deed)) == "PermissionError"


def test_what_decodes_a_file_starts_no_thread(read_hostile: IsolatedReader, hostile: Callable[[str], Path]) -> None:
    assert problem_of(read_hostile, hostile("thread")) == "RuntimeError"


@pytest.mark.parametrize(
    ("deed", "problem"),
    [
        ("crash", "the file breaks the image decoder (Segmentation fault); export the radiograph as PNG or DICOM"),
        ("raise", "the file breaks the image decoder (no sound answer); export the radiograph as PNG or DICOM"),
        ("die", "its decoding was killed twice, as it is where memory runs out; export it smaller"),
        ("spin", "takes more than 1 s of computing to decode; export the radiograph as PNG or DICOM"),
        ("eat", "takes more than 256 MiB of memory to decode; export it smaller"),
    ],
)
def test_a_file_that_breaks_its_decoder_is_one_file_with_one_line(
    deed: str, problem: str, read_hostile: IsolatedReader, hostile: Callable[[str], Path], film: Path
) -> None:
    assert problem_of(read_hostile, hostile(deed)) == problem
    assert told(read_hostile, film) == told(read_radiograph, film)


@pytest.mark.parametrize(
    "deed",
    ["nan", "lie: nothing", "lie: huge"],
)
def test_an_answer_that_no_sound_process_gives_is_one_rejected_file(
    deed: str, read_hostile: IsolatedReader, hostile: Callable[[str], Path], film: Path
) -> None:
    assert "breaks the image decoder" in problem_of(read_hostile, hostile(deed))
    assert told(read_hostile, film) == told(read_radiograph, film)


def test_a_file_that_hangs_is_ended_after_its_time(tmp_path: Path, hostile: Callable[[str], Path], film: Path) -> None:
    with IsolatedReader([sys.executable, str(HOSTILE), str(tmp_path / "started")], wall_s=0.3) as read:
        read(film)
        start = time.monotonic()
        assert problem_of(read, hostile("sleep")).startswith("takes more than 0.3 s to decode")
        assert time.monotonic() - start < 5
        assert told(read, film) == told(read_radiograph, film)


def test_a_kill_that_was_meant_for_another_costs_no_film(tmp_path: Path, hostile: Callable[[str], Path]) -> None:
    mark = tmp_path / "started"
    with IsolatedReader([sys.executable, str(HOSTILE), str(mark)]) as read:
        path = hostile("die once")
        assert told(read, path) == told(read_radiograph, path)


def test_the_process_that_forks_may_be_killed_between_two_films(film: Path) -> None:
    others = children_of(os.getpid())
    with IsolatedReader() as read:
        read(film)
        (forker,) = set(children_of(os.getpid())) - set(others)
        os.kill(forker, signal.SIGKILL)
        assert told(read, film) == told(read_radiograph, film)
    assert children_of(os.getpid()) == others


def test_a_module_that_lies_beside_the_films_is_not_run(film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("numpy", "osteo_edge", "json"):
        film.with_name(f"{name}.py").write_text("raise SystemExit(3)")
    monkeypatch.chdir(film.parent)
    with IsolatedReader() as read:
        assert told(read, Path(film.name)) == told(read_radiograph, Path(film.name))


def test_a_process_that_does_not_start_says_nothing_about_the_film(film: Path) -> None:
    with (
        IsolatedReader([sys.executable, "-c", "raise SystemExit(3)"]) as read,
        pytest.raises(NotStartedError, match="does not start, or ends by itself"),
    ):
        read(film)


def test_a_system_that_starts_no_process_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(OsteoEdgeError, match=r"no process can be started .* \(No such file or directory\)"):
        IsolatedReader([str(tmp_path / "nothing")]).start()


START = """
import hashlib, sys, threading
from pathlib import Path
from osteo_edge.isolated_reading import IsolatedReader
if sys.argv[1] == "threads":
    threading.Thread(target=threading.Event().wait, daemon=True).start()
with IsolatedReader(forked=True) as read:
    first = read(Path(sys.argv[2]))
    child, = (each for task in Path("/proc/self/task").iterdir() for each in (task / "children").read_text().split())
    ours, its = (Path("/proc", each, "cmdline").read_bytes() for each in ("self", child))
    print(child, hashlib.sha256(first.pixels).hexdigest(), its == ours, flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize(("kind", "is_copy"), [("alone", True), ("threads", False)])
def test_a_program_that_is_alone_is_copied_and_one_with_threads_is_not_and_neither_is_outlived(
    kind: str, is_copy: bool, tmp_path: Path
) -> None:
    film = tmp_path / "large.jpg"  # in colour: OpenCV would take several threads to make it grey
    film.write_bytes(encoded(".jpg", cv2.resize(COLOUR, (2000, 1600))))
    command = [sys.executable, "-W", "error", "-c", START, kind, str(film)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        child, sha256, is_same = process.stdout.readline().split()
        assert (sha256, is_same) == (sha256_bytes(read_radiograph(film).pixels.tobytes()), str(is_copy))
        assert is_running(int(child))
        process.kill()
    wait_for(lambda: not is_running(int(child)))


def test_the_process_that_waits_for_the_first_film_costs_none_when_it_is_killed_and_does_not_stay(film: Path) -> None:
    others = children_of(os.getpid())

    def waiting() -> list[int]:
        return [each for child in set(children_of(os.getpid())) - set(others) for each in children_of(child)]

    with IsolatedReader() as read:
        (killed,) = wait_for(waiting)
        os.kill(killed, signal.SIGKILL)
        assert told(read, film) == told(read_radiograph, film)
        read.rest()
        read.start()
        (unused,) = wait_for(waiting)
    assert not is_running(unused)


def test_the_first_film_may_need_what_the_process_that_waits_for_it_has_not_loaded(tmp_path: Path) -> None:
    (tmp_path / "film").write_bytes(dicom_file("plain"))
    with IsolatedReader() as read:
        assert told(read, tmp_path / "film") == told(read_radiograph, tmp_path / "film")


def test_a_system_without_filters_is_told_of_once(film: Path, tmp_path: Path) -> None:
    script = tmp_path / "without.py"
    script.write_text(
        "from osteo_edge import confinement, reading_process\n"
        "confinement.filter_program = lambda: None\n"
        "reading_process.main()\n"
    )
    lines: list[str] = []
    with IsolatedReader([sys.executable, str(script)], tell=lines.append) as read:
        assert told(read, film) == told(read_radiograph, film) == told(read, film)
    assert len(lines) == 1
    assert "does not filter" in lines[0]


def test_a_process_that_decodes_loads_nothing_but_that_and_screening_starts_none() -> None:
    program = "import sys, importlib; importlib.import_module(sys.argv[1]); print(*sys.modules)"
    loaded = {}
    for module in ("osteo_edge.reading_process", "osteo_edge.screen_command"):
        command = [sys.executable, "-c", program, module]
        loaded[module] = set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())
    assert loaded["osteo_edge.reading_process"] & {"click", "rich", "PIL", "pydicom", "gdcm", "ai_edge_litert"} == set()
    assert loaded["osteo_edge.screen_command"] & {"osteo_edge.isolated_reading", "osteo_edge.confinement"} == set()


def test_a_missing_package_is_told_as_in_this_process(tmp_path: Path) -> None:
    script = tmp_path / "without.py"
    script.write_text(
        "import sys; sys.modules['pydicom'] = None\nfrom osteo_edge import reading_process; reading_process.main()\n"
    )
    (tmp_path / "film").write_bytes(dicom_file("plain"))
    with (
        IsolatedReader([sys.executable, str(script)]) as read,
        pytest.raises(MissingExtraError, match=r"needs pydicom: pip install 'osteo-edge\[dicom\]'"),
    ):
        read(tmp_path / "film")


def test_waiting_takes_no_more_memory_after_many_films(film: Path) -> None:
    others = children_of(os.getpid())
    with IsolatedReader() as read:
        read(film)
        (forker,) = set(children_of(os.getpid())) - set(others)
        before = private_mb(forker)
        for _ in range(20):
            read(film)
        assert private_mb(forker) - before < 1


def private_mb(process: int) -> float:
    status = Path(f"/proc/{process}/status").read_text("ascii")
    return int(status.partition("RssAnon:")[2].split()[0]) / 1024


def test_nothing_is_left_when_the_program_is_killed_while_a_film_is_decoded(
    tmp_path: Path, hostile: Callable[[str], Path]
) -> None:
    program = (
        "import sys; from pathlib import Path; from osteo_edge.isolated_reading import IsolatedReader\n"
        "with IsolatedReader(sys.argv[1:4]) as read: read(Path(sys.argv[4]))"
    )
    command = [sys.executable, "-c", program, sys.executable, str(HOSTILE), str(tmp_path / "mark")]
    with subprocess.Popen([*command, str(hostile("sleep"))]) as process:
        forkers = wait_for(lambda: children_of(process.pid))
        decoders = wait_for(lambda: [each for each in children_of(forkers[0]) if (tmp_path / "mark").exists()])
        process.kill()
    wait_for(lambda: not any(is_running(each) for each in [*forkers, *decoders]))


def children_of(process: int) -> list[int]:
    try:
        tasks = list(Path(f"/proc/{process}/task").iterdir())
        return [int(word) for task in tasks for word in (task / "children").read_text().split()]
    except FileNotFoundError:
        return []


def is_running(process: int) -> bool:
    try:
        return ") Z" not in Path(f"/proc/{process}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_for(look: Callable[[], Any]) -> Any:
    end = time.monotonic() + PATIENCE_S
    while not (found := look()):
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)
    return found
