"""What is left out of a kit is loaded by nothing that runs on a Raspberry Pi."""

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from osteo_edge.edge_app.virtual_display import virtual_display

PROGRAM = """\
import importlib, pkgutil, re, sys
from importlib.abc import MetaPathFinder
from importlib.machinery import PathFinder, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path

from osteo_edge.edge_app.pi.packs import NOT_NEEDED
from osteo_edge.edge_app.pi.wheels import LEFT_OUT

MISSING = {"docutils", "kivy_garden", "requests", "charset_normalizer", "idna", "urllib3", "certifi"}
MISSING |= {"pygments", "markdown_it", "mdurl"}
assert len(MISSING) == len(LEFT_OUT)
SITE = re.compile(r".*/site-packages/")


class AsInTheKit(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in MISSING:
            raise ModuleNotFoundError(name=name)
        spec = PathFinder.find_spec(name, path, target)
        if spec is None or spec.origin is None or not NOT_NEEDED.search(SITE.sub("", spec.origin)):
            return None
        source = Path(spec.origin).parent / (name.rpartition(".")[2] + ".py")
        if not spec.origin.endswith(".so") or not source.is_file():
            raise ModuleNotFoundError(name=name)
        return spec_from_file_location(name, source, loader=SourceFileLoader(name, str(source)))


sys.meta_path.insert(0, AsInTheKit())
from osteo_edge.edge_app.window_start import prepare_kivy
from osteo_edge.edge_app.folders import Folders

prepare_kivy(Folders(Path(sys.argv[1])), size=(800, 480))
import osteo_edge.edge_app
names = ["osteo_edge.cli", "osteo_edge.screen_command", "osteo_edge.dicom", "rich.table", "rich.progress", "pydicom"]
names += ["ai_edge_litert.interpreter", "gdcm", "pydicom.pixels", "kivy.uix.image"]
names += [found.name for found in pkgutil.walk_packages(osteo_edge.edge_app.__path__, "osteo_edge.edge_app.")]
for name in names:
    importlib.import_module(name)
from kivy.core.window import Window
assert Window is not None

from fpdf import FPDF
from osteo_edge.edge_app.exports import pdf
page = FPDF()
page.add_page()
page.add_font("own", fname=Path(pdf.__file__).with_name("fonts") / "DejaVuSansCondensed.ttf")
page.set_font("own", size=12)
page.cell(text="Überweisung")
assert bytes(page.output()).startswith(b"%PDF")
loaded = [module.__file__ for module in list(sys.modules.values()) if getattr(module, "__file__", None)]
mapped = {line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines() if "/site-packages/" in line}
print([path for path in {*loaded, *mapped} if NOT_NEEDED.search(SITE.sub("", path))])
"""


@pytest.mark.kivy
@pytest.mark.slow
def test_everything_loads_without_what_is_left_out(tmp_path: Path) -> None:
    if find_spec("kivy") is None or find_spec("fpdf") is None:
        pytest.skip("no Kivy: pip install 'osteo-edge[app]'")
    if shutil.which("Xvfb") is None:
        pytest.skip("no Xvfb: make display")
    with virtual_display() as environment:
        command: list[str | Path] = [sys.executable, "-c", PROGRAM, tmp_path]
        done = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"
