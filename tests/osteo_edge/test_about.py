"""What someone says of a model: taken as it is, refused where it is no statement."""

from dataclasses import fields
from pathlib import Path

import pytest

from osteo_edge.about import ASKED, MAX_LETTERS, NOTHING_SAID, About, read_about
from osteo_edge.errors import OsteoEdgeError

PAGE = Path(__file__).resolve().parents[2] / "docs" / "governance.md"


def test_each_field_is_asked_for_and_nothing_else_is() -> None:
    assert {field.name for field in fields(About)} == set(ASKED)
    assert NOTHING_SAID.unsaid == tuple(ASKED)


def test_the_page_has_a_statement_with_every_field_and_what_it_asks(tmp_path: Path) -> None:
    example = [line[4:] for line in PAGE.read_text("utf-8").splitlines() if line.startswith("    ") and " = " in line]
    path = tmp_path / "about.toml"
    path.write_text("\n".join(example))
    assert read_about(path).unsaid == ()
    asked = dict(line.split("  # ") for line in example)
    assert {name.split(" = ")[0].strip(): words.strip() for name, words in asked.items()} == ASKED


def test_a_statement_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "about.toml"
    path.write_text(
        'users = """Radiographers,\n  trained"""\nreferences = ["A 2020", "B 2021"]\n[changelog]\n1 = "first"'
    )
    about = read_about(path)
    assert about == About(users="Radiographers,\n  trained", references=("A 2020", "B 2021"), changelog={"1": "first"})
    assert about.said("users") == "Radiographers, trained"
    assert about.said("references") == "A 2020; B 2021"
    assert about.said("changelog") == "1: first"
    assert about.said("licence") is None
    assert set(about.unsaid) == set(ASKED) - {"users", "references", "changelog"}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ('user = "nurses"', "unknown field 'user'; it may have: manufacturer, contact, "),
        ("users = 3", "users must be "),
        ('users = " "', "users must say something; leave out what is not known"),
        ("references = []", "references must say something"),
        ('references = ["A", ""]', "references must say something"),
        ("[changelog]", "changelog must say something"),
        ("[changelog]\n1 = 2", "changelog.1 must be "),
        (f'users = "{"a" * (MAX_LETTERS + 1)}"', "users must have at most 2,000 letters, not 2,001"),
        ("users = nurses", "is no TOML"),
    ],
)
def test_what_is_no_statement_is_refused_in_one_line(content: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / "about.toml"
    path.write_text(content)
    with pytest.raises(OsteoEdgeError) as refused:
        read_about(path)
    message = str(refused.value)
    assert message.startswith(f"{path}: ")
    assert told in message
    assert "\n" not in message
