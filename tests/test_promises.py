import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests import promises
from tests.promises import PAGE, ROOT, Kept, Promise, main, read_promises, try_them

TABLE = """## Films

| What | With what |
| --- | --- |
| no promise | `tests/test_none.py` |

| Promise | Test | Count | Result |
| --- | --- | --- | --- |
| Films pass | `tests/a/test_one.py`, `test_two.py` | 3 | **all** |
| ... of all kinds | same, and `tests/b/test_three.py` | 2 | all |
| | by hand | 9 | 0 refused |
"""


def test_rows_of_promises_are_read_with_the_tests_that_they_mean() -> None:
    one, two, three = "tests/a/test_one.py", "tests/a/test_two.py", "tests/b/test_three.py"
    assert read_promises(TABLE) == (
        Promise("Films", "Films pass", (one, two), "3 **all"),
        Promise("Films", "... of all kinds", (one, two, three), "2 all"),
        Promise("Films", "... of all kinds", (), "9 0 refused"),
    )


def test_every_test_that_the_page_names_is_there() -> None:
    found = read_promises(PAGE.read_text("utf-8"))
    assert len({promise.section for promise in found}) > 8
    missing = {file for promise in found for file in promise.files if not (ROOT / file).is_file()}
    assert not missing
    assert sum(bool(promise.files) for promise in found) > len(found) / 2


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A page of a promise that holds, one that does not, and one that was measured; in a tree of their own."""
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_kept.py").write_text("def test_one(): pass\ndef test_two(): pass\n")
    (tmp_path / "tests" / "test_broken.py").write_text("def test_it(): assert False\n")
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n    kivy\n    release\n")
    rows = ("It holds | `tests/test_kept.py`", "It does not | `tests/test_broken.py`", "It was seen | by hand")
    table = "\n".join(f"| {row} | 1 | all |" for row in rows)
    path = tmp_path / "page.md"
    path.write_text(f"## Here\n\n| Promise | Test | Count | Result |\n| --- | --- | --- | --- |\n{table}\n")
    monkeypatch.setattr(promises, "ROOT", tmp_path)
    monkeypatch.setattr(promises, "PAGE", path)
    return path


def test_promises_are_told_with_what_their_tests_say_now(page: Path) -> None:
    done = CliRunner().invoke(main, ["--json"])
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["result"] for one in told] == ["holds", "BROKEN", "measured, not tested"]
    assert [one["passed"] for one in told] == [2, 0, 0]
    assert done.exit_code == 1
    assert "1 of 3 promises are broken" in done.stderr


def test_some_can_be_chosen_by_their_words(page: Path) -> None:
    assert CliRunner().invoke(main, ["--only", "it holds"]).exit_code == 0
    assert CliRunner().invoke(main, ["--only", "nothing"]).exit_code == 2
    listed = CliRunner().invoke(main, ["--list"])
    assert listed.exit_code == 0
    assert "tests/test_broken.py" in listed.stdout


def test_what_is_skipped_is_not_called_kept() -> None:
    assert Kept(Promise("", "", ("tests/test_it.py",), ""), 0, 0, 3).result == "not run here"
    assert try_them([]) == ()
