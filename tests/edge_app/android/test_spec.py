import ast
import importlib.util
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from osteo_edge.edge_app.android import spec
from osteo_edge.edge_app.android.spec import Project, fields_of, problem_of_id, project_texts, version_code
from osteo_edge.version import VERSION

UI_LOOK = Path(spec.__file__).parents[1] / "ui" / "look.py"


def buildozer_spec(text: str) -> dict[str, dict[str, str]]:
    parser = pytest.importorskip("buildozer.specparser").SpecParser()
    parser.read_string(text)
    return {section: dict(parser.items(section)) for section in parser.sections()}


def test_every_field_of_every_template_is_filled_in() -> None:
    texts = project_texts(Project(), bundle="knee 1")
    assert {"buildozer.spec", "constraints.txt", "README.md", "hook.py", "recipes/kivy/__init__.py"} <= set(texts)
    assert [name for name, text in texts.items() if spec.FIELD.search(text)] == []


def test_buildozer_reads_what_was_asked_for() -> None:
    asked = Project("org.example.knee", ("x86_64",))
    app = buildozer_spec(project_texts(asked, bundle="knee 1")["buildozer.spec"])["app"]
    assert (app["package.domain"], app["package.name"], app["version"]) == ("org.example", "knee", VERSION)
    assert app["android.archs"] == "x86_64"
    assert app["android.numeric_version"] == str(version_code(VERSION))
    assert (app["android.api"], app["android.minapi"], app["android.ndk_api"]) == ("35", "24", "24")
    assert app["android.allow_backup"] == "False"


def test_nothing_that_an_empty_line_would_spoil_is_in_the_spec() -> None:
    """Buildozer takes an empty list for a list of one empty name: a permission without a name, and no file at all."""
    app = buildozer_spec(project_texts(Project(), bundle="knee 1")["buildozer.spec"])["app"]
    assert not {"android.permissions", "android.features", "source.include_exts"} & set(app)


def test_every_line_of_the_spec_is_one_that_buildozer_knows() -> None:
    found = importlib.util.find_spec("buildozer")
    if found is None or found.origin is None:
        pytest.skip("buildozer is not installed: pip install osteo-edge[android]")
    folder = Path(found.origin).parent
    sources = "\n".join(path.read_text("utf-8") for path in folder.rglob("*") if path.suffix in (".py", ".spec"))
    known = set(re.findall(r"[\w.]+", sources))
    sections = buildozer_spec(project_texts(Project(), bundle="knee 1")["buildozer.spec"])
    assert sorted({name for section in sections.values() for name in section} - known) == []


def test_the_version_code_rises_with_the_version() -> None:
    versions = ["0.0.1", "0.1.0", "0.1.1", "0.1.10", "0.2.0", "0.10.0", "1.0.0", "1.0.1", "12.0.0"]
    codes = [version_code(version) for version in versions]
    assert codes == sorted(set(codes))
    assert codes[0] > 0
    assert codes[-1] < 2_100_000_000  # the largest that a store takes


@pytest.mark.parametrize("package_id", ["org.osteoedge.app", "org.example.knee_2", "a.b"])
def test_an_id_of_an_app(package_id: str) -> None:
    assert problem_of_id(package_id) is None


@pytest.mark.parametrize(
    "package_id", ["app", "", "org..app", "Org.app", "org.2app", "org.app ", "org.new.app", "org.when", "a." + "b" * 99]
)
def test_what_is_no_id_is_told_in_words(package_id: str) -> None:
    problem = problem_of_id(package_id)
    assert problem is not None
    assert repr(package_id) in problem
    with pytest.raises(ValueError, match=re.escape(problem)):
        Project(package_id)


@pytest.mark.parametrize("archs", [(), ("mips",), ("x86_64", "x86_64")])
def test_processors_that_cannot_be_built_for(archs: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="archs must be some of"):
        Project(archs=archs)


def test_what_is_seen_first_has_the_colours_of_the_window() -> None:
    tree = ast.parse(UI_LOOK.read_text("utf-8"))
    themes = next(
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "THEMES" and node.value is not None
    )
    assert (themes["light"]["paper"], themes["dark"]["paper"]) == (spec.LIGHT_PAPER, spec.DARK_PAPER)


def test_the_domain_of_an_id_is_all_but_its_last_word() -> None:
    fields = fields_of(Project("org.example.clinic.knee"), bundle="knee 1")
    assert (fields["PACKAGE_DOMAIN"], fields["PACKAGE_NAME"]) == ("org.example.clinic", "knee")


def test_the_gpu_delegate_is_built_in_only_where_it_is_asked_for() -> None:
    without, with_it = (project_texts(Project(with_gpu=asked), bundle="knee 1") for asked in (False, True))
    assert "litert-gpu" not in without["buildozer.spec"]
    assert "uses-native-library" not in without["manifest/application.xml"]
    libraries = buildozer_spec(with_it["buildozer.spec"])["app"]["android.gradle_dependencies"].split(", ")
    assert [line.split(":")[1] for line in libraries] == ["litert", "litert-gpu", "litert-gpu-api", "core"]
    schema = 'xmlns:android="http://schemas.android.com/apk/res/android"'
    elements = ElementTree.fromstring(f"<application {schema}>{with_it['manifest/application.xml']}</application>")
    assert [each.tag for each in elements] == ["provider", "uses-native-library"]
