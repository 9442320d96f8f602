"""Import every module of a staged app as a phone would: without anything of a desktop, and without docstrings.

Run by itself with -OO and -I, with the app's folder; prints what failed, as JSON. Modules of the window, and those that
begin with Java, are compiled and not imported: a display, and a phone, are needed for those.
"""

import importlib
import importlib.abc
import json
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

DESKTOP = """
cv2 click rich tensorflow tf_keras keras ai_edge_litert tflite_runtime ai_edge_quantizer babel scipy sklearn skimage
matplotlib xgboost gdcm buildozer pythonforandroid requests
"""
PACKAGES = ("numpy", "PIL.Image", "pydicom", "fpdf", "fontTools.subset")
"""What recipes and wheels bring to a phone, and the program imports late."""
WINDOW = "osteo_edge.edge_app.ui."


class NotOnAPhone(importlib.abc.MetaPathFinder):
    """Lets nothing be found that a phone has not."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname.partition(".")[0] in DESKTOP.split():
            raise ModuleNotFoundError(f"No module named {fullname!r} on a phone", name=fullname)
        return None


def main(app: Path) -> None:
    sys.meta_path.insert(0, NotOnAPhone())
    sys.path.insert(0, str(app))
    failed, imported = dict[str, str](), list[str]()
    for path in sorted((app / "osteo_edge").rglob("*.py")):
        name = ".".join(path.relative_to(app).with_suffix("").parts).removesuffix(".__init__")
        compile(path.read_bytes(), str(path), "exec", dont_inherit=True, optimize=2)
        if name.startswith(WINDOW) or b"\nfrom jnius import" in path.read_bytes():
            continue
        try:
            importlib.import_module(name)
        except Exception as error:
            failed[name] = f"{type(error).__name__}: {error}"
        else:
            imported.append(name)
    for name in PACKAGES:
        importlib.import_module(name)
    own = [module for name, module in sys.modules.items() if name.partition(".")[0] == "osteo_edge"]
    foreign = [str(module.__file__) for module in own if not str(module.__file__).startswith(str(app))]
    sys.stdout.write(json.dumps({"failed": failed, "imported": imported, "foreign": foreign}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
