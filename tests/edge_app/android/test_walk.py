from pathlib import Path

import pytest

from osteo_edge.edge_app.android.walk import modules_of, needed_modules

SOURCES = {
    "osteo_edge/__init__.py": "",
    "osteo_edge/start.py": "from osteo_edge import near\ndef late():\n    from .parts.deep import go",
    "osteo_edge/near.py": "import numpy\nMODULE = 'osteo_edge.named'",
    "osteo_edge/named.py": "import osteo_edge.start",
    "osteo_edge/parts/__init__.py": "if False:\n    from . import hidden",
    "osteo_edge/parts/deep.py": "from osteo_edge.desktop.tool import run",
    "osteo_edge/parts/hidden.py": "",
    "osteo_edge/desktop/__init__.py": "import osteo_edge.only_desktop",
    "osteo_edge/desktop/tool.py": "",
    "osteo_edge/only_desktop.py": "",
    "osteo_edge/words.txt": "osteo_edge.start",
}


@pytest.fixture
def modules(tmp_path: Path) -> dict[str, Path]:
    for name, source in SOURCES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(source, "utf-8")
    return modules_of({name: tmp_path / name for name in SOURCES})


def test_imports_count_wherever_they_stand_and_so_do_names_of_modules(modules: dict[str, Path]) -> None:
    found = needed_modules(["osteo_edge.start"], modules)
    assert found == set(modules)


def test_what_is_left_out_is_not_followed(modules: dict[str, Path]) -> None:
    found = needed_modules(["osteo_edge.start"], modules, left_out=["osteo_edge.desktop"])
    assert found == {name for name in modules if "desktop" not in name}


def test_an_entry_brings_the_packages_around_it(modules: dict[str, Path]) -> None:
    found = needed_modules(["osteo_edge.parts.hidden"], modules)
    assert found == {"osteo_edge", "osteo_edge.parts", "osteo_edge.parts.hidden"}


def test_an_entry_that_is_no_module_is_our_own_mistake(modules: dict[str, Path]) -> None:
    with pytest.raises(ValueError, match=r"osteo_edge\.strat is no module"):
        needed_modules(["osteo_edge.strat"], modules)
