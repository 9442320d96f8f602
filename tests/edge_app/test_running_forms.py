from collections.abc import Callable, Iterator

import pytest

from osteo_edge.edge_app.clinic import Clinic
from osteo_edge.edge_app.folders import Folders
from osteo_edge.edge_app.history.drafts import Draft
from osteo_edge.edge_app.running_forms import WINDOW
from osteo_edge.edge_app.screening_form import FormFields, fields_of

FIELDS = FormFields("K-17", "71")


@pytest.fixture
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Clinic]]:
    """Open one more window on the same data."""
    opened, folders = list[Clinic](), Folders(tmp_path_factory.mktemp("clinic"))

    def window() -> Clinic:
        opened.append(Clinic(folders))
        return opened[-1]

    yield window
    for clinic in opened:
        clinic.close()


def ids(drafts: tuple[Draft, ...]) -> list[str]:
    return [draft.id for draft in drafts]


def test_a_form_is_unfinished_for_its_own_window_alone_until_that_is_closed(window: Callable[[], Clinic]) -> None:
    first, second = window(), window()
    first.forms.keep("a" * 32, FIELDS)
    assert ids(first.forms.unfinished()) == ["a" * 32]
    assert second.forms.unfinished() == ()
    assert second.forms.take("a" * 32) is None
    first.close()
    (draft,) = second.forms.unfinished()
    assert fields_of(draft.fields) == FIELDS


def test_one_window_alone_gets_a_form_that_both_are_offered(window: Callable[[], Clinic]) -> None:
    before = window()
    before.forms.keep("a" * 32, FIELDS)
    before.close()
    first, second = window(), window()
    assert first.forms.unfinished() == second.forms.unfinished() != ()
    taken = first.forms.take("a" * 32)
    assert taken is not None
    assert fields_of(taken.fields) == FIELDS
    assert second.forms.take("a" * 32) is None
    first.forms.drop("a" * 32)
    assert first.forms.take("a" * 32) is None
    first.forms.bring_back(taken)
    assert ids(first.forms.unfinished()) == ["a" * 32]


def test_a_form_of_an_older_version_names_no_window_and_is_unfinished(window: Callable[[], Clinic]) -> None:
    clinic = window()
    clinic.history().save_draft(Draft("a" * 32, "2026-01-01T10:00:00+00:00", {"code": "K-1"}))
    assert ids(clinic.forms.unfinished()) == ["a" * 32]
    taken = clinic.forms.take("a" * 32)
    assert taken is not None
    assert taken.fields[WINDOW]
    assert taken.saved_at == "2026-01-01T10:00:00+00:00"
