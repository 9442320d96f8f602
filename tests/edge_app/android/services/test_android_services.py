"""The services as the app uses them, through pyjnius on a JVM, against doubles of Android's classes."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from osteo_edge.edge_app.android.services import errors
from osteo_edge.edge_app.jobs import UNEXPECTED
from tests.java_doubles import run_in_jvm

STORY = Path(__file__).with_name("device_story.py")
FILES = "content://org.osteoedge.osteoedge.files"
NOTHING = ["silence"]


def tell(story: str, classes: Path, folder: Path) -> dict[str, Any]:
    done = run_in_jvm(STORY, story, str(folder), classes=classes)
    assert done.returncode == 0, done.stderr
    seen: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return seen


@pytest.fixture(scope="module")
def seen(java_classes: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return tell("whole", java_classes, tmp_path_factory.mktemp("device"))


@pytest.fixture(scope="module")
def after_the_end(java_classes: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return tell("ended", java_classes, tmp_path_factory.mktemp("device"))


def test_the_intent_that_starts_the_app_does_not_reach_the_parts_that_would_obey_it(seen: dict[str, Any]) -> None:
    assert seen["first activity"] == ["PythonActivity sees android.intent.action.MAIN of null"]


def test_what_started_the_app_is_told_when_somebody_takes_it(seen: dict[str, Any]) -> None:
    assert seen["before anyone takes what is shared"] == NOTHING
    assert seen["shared at the start"] == ["cache/incoming/knee é.png PNG"]


def test_what_an_earlier_process_left_is_removed_at_the_start(seen: dict[str, Any]) -> None:
    assert seen["old files"] == ["cache/incoming/fresh.png"]


def test_a_picture_comes_from_the_photo_picker(seen: dict[str, Any]) -> None:
    assert seen["picture"] == asking("android.provider.action.PICK_IMAGES", "image/*")
    assert seen["picture chosen"] == ["cache/incoming/knee.png PNG"]
    assert seen["picture not chosen"] == ["nothing"]


def test_a_phone_without_a_photo_picker_has_its_documents(seen: dict[str, Any]) -> None:
    document = asking("android.intent.action.OPEN_DOCUMENT", "image/*", "android.intent.category.OPENABLE")
    assert seen["picture without a picker"] == document


@pytest.mark.parametrize(
    ("phone", "has_picker"),
    [
        ("Android 29, extension 9", False),
        ("Android 30, extension 1", False),
        ("Android 30, extension 2", True),
        ("Android 32, extension 9", True),
        ("Android 33, extension 0", True),
    ],
)
def test_only_phones_that_have_it_are_asked_for_the_photo_picker(
    phone: str, has_picker: bool, seen: dict[str, Any]
) -> None:
    asked = "android.provider.action.PICK_IMAGES" if has_picker else "android.intent.action.OPEN_DOCUMENT"
    assert seen[f"picture of {phone}"] == asked


def test_a_document_may_be_of_any_type(seen: dict[str, Any]) -> None:
    document = asking("android.intent.action.OPEN_DOCUMENT", "*/*", "android.intent.category.OPENABLE")
    assert seen["document"] == document
    assert seen["document chosen"] == ["cache/incoming/IM000001 FILM"]
    assert seen["several documents"] == [errors.FIRST_OF_SEVERAL, "cache/incoming/film.dcm FILM"]
    assert seen["a document of no content"] == [errors.NO_FILE]
    assert seen["no app for documents"] == [errors.NO_CHOOSER]
    assert seen["nothing more"] == NOTHING


def test_a_second_touch_opens_no_second_window(seen: dict[str, Any]) -> None:
    assert seen["documents for two touches"] == 1


def test_a_backup_may_be_larger_than_a_film(seen: dict[str, Any]) -> None:
    assert seen["a backup larger than a film"] == ["cache/incoming/backup.zip FILM"]


def test_the_camera_app_may_write_to_one_file_until_it_has(seen: dict[str, Any]) -> None:
    uri = f"{FILES}/photos/NAME"
    assert seen["photo"] == asking("android.media.action.IMAGE_CAPTURE") | {"flags": 3, "clip": [uri], "extra": uri}
    assert seen["photo taken"] == ["cache/incoming/NAME FILM", "PythonActivity dropped a result", f"revoke {uri} 3"]
    assert seen["photo not taken"] == ["nothing"]
    assert seen["photos left"] == []


def test_a_camera_that_gives_nothing_is_one_line(seen: dict[str, Any]) -> None:
    assert seen["photo of nothing"] == [errors.NO_PHOTO]
    assert seen["no camera"] == seen["camera forbidden"] == [errors.NO_CAMERA]


def test_what_is_shared_while_the_app_runs_is_told_once(seen: dict[str, Any]) -> None:
    assert seen["viewed"] == ["cache/incoming/knee.dcm FILM"]
    assert seen["shared later"] == ["cache/incoming/hip.dcm FILM"]
    assert seen["several shared"] == [errors.FIRST_OF_SEVERAL, "cache/incoming/third.dcm FILM"]
    assert seen["started again"] == NOTHING


@pytest.mark.parametrize(
    ("shared", "line"),
    [
        ("our provider", errors.OWN_FILE),
        ("our provider, of a user", errors.OWN_FILE),
        ("our file through another app", errors.OWN_FILE),
        ("a file", errors.NO_FILE),
        ("no provider", errors.NO_FILE),
        ("no address", errors.NO_FILE),
        ("a text", errors.NO_FILE),
        ("an intent in the place of a file", errors.NO_FILE),
    ],
)
def test_nobody_can_share_what_is_not_his(shared: str, line: str, seen: dict[str, Any]) -> None:
    assert seen[shared] == [line]


def test_what_is_odd_but_readable_is_read(seen: dict[str, Any]) -> None:
    assert seen["our package's neighbour"] == ["cache/incoming/film.dcm FILM"]
    assert seen["extras of an unknown class"] == ["cache/incoming/film.dcm FILM"]
    assert seen["undescribed"] == ["cache/incoming/film FILM"]
    assert seen["a part of a file"] == ["cache/incoming/film.dcm FILM"]
    assert seen["an answer to nothing"] == NOTHING


@pytest.mark.parametrize(
    ("failure", "line"),
    [
        ("SecurityException", errors.NOT_ALLOWED),
        ("IllegalStateException", errors.NOT_OPENED),
        ("null", errors.NOT_THERE),
        ("gone", errors.NOT_THERE),
        ("fails midway", errors.NOT_COMPLETE),
        ("stalls", errors.NOT_COMPLETE),
        ("too large", "vast.dcm: not a file of at most 512 MiB; export the radiograph as PNG or DICOM"),
    ],
)
def test_another_apps_failure_is_one_line(failure: str, line: str, seen: dict[str, Any]) -> None:
    assert seen[failure] == [line]


def test_a_file_is_offered_to_other_apps_to_read_and_to_no_app_by_its_path(seen: dict[str, Any]) -> None:
    uri = f"{FILES}/sending/report é.pdf"
    inner = asking("android.intent.action.SEND", "application/pdf") | {"flags": 1, "clip": [uri], "extra": uri}
    chooser = asking("android.intent.action.CHOOSER") | {"flags": 1, "clip": [uri]}
    assert seen["send"] == {"chooser": chooser, "inner": inner}
    assert seen["send not to"] == ["org.osteoedge.osteoedge/org.osteoedge.app.EdgeActivity"]
    assert seen["sent"]
    assert seen["send to nobody"] == [errors.NO_TAKER]
    assert seen["send what is missing"][0].startswith("missing.pdf: cannot be sent")


def test_the_window_is_kept_out_of_screenshots_until_it_need_not_be(seen: dict[str, Any]) -> None:
    assert seen["secret"] == ["window flags 8192", "window flags 0"]
    assert seen["surface"] == ["content ViewGroup"]


def test_the_screen_reader_speaks_where_it_is_on(seen: dict[str, Any]) -> None:
    assert seen["announced"] == ["said Screening"]


def test_dark_colours_are_told_when_they_change(seen: dict[str, Any]) -> None:
    assert seen["dark by day"] is False
    assert seen["turned dark"] == ["changed", True]


@pytest.mark.parametrize(
    ("window", "edges"),
    [
        ("edges", [10, 80, 40, 126]),
        ("edges with a keyboard", [10, 80, 40, 900]),
        ("edges of Android 29", [10, 80, 40, 126]),
        ("edges of Android 24", [10, 63, 20, 126]),
        ("edges of a view beside the bars", [0, 0, 0, 0]),
    ],
)
def test_the_edges_are_what_the_system_covers_of_the_apps_own_view(
    window: str, edges: list[int], seen: dict[str, Any]
) -> None:
    assert seen[window] == edges


def test_changed_edges_are_told_and_others_are_not(seen: dict[str, Any]) -> None:
    assert seen["edges changed"] == ["changed"] * 5
    assert seen["edges stayed"] == NOTHING
    assert seen["insets applied"]


def test_threads_leave_java_before_they_end(seen: dict[str, Any]) -> None:
    assert seen["threads that have not left Java"] <= 0


def test_nothing_stays_but_what_was_sent(seen: dict[str, Any]) -> None:
    assert seen["left"] == ["cache/incoming/fresh.png", "cache/sending/report é.pdf"]


def test_what_was_chosen_while_the_process_was_ended_comes_to_the_new_one(after_the_end: dict[str, Any]) -> None:
    assert after_the_end["told to the new process"] == [
        "cache/incoming/knee.png PNG",
        "cache/incoming/second.dcm FILM",
        "photo cache/incoming/photo-2.jpg FILM",
    ]
    assert after_the_end["nothing more"] == NOTHING
    assert after_the_end["cancelled before"] == NOTHING
    assert after_the_end["left"] == ["cache/incoming/fresh.png"]


def test_an_intent_of_long_ago_is_not_obeyed_again(java_classes: Path, tmp_path: Path) -> None:
    """And on an old phone, where the window's own flag does not cover it, the surface is kept secret."""
    seen = tell("history", java_classes, tmp_path)
    assert (seen["old test"], seen["old share"], seen["test"]) == (False, NOTHING, True)
    assert seen["surface of Android 30"] == ["surface secure true", "content ViewGroup"]


def test_a_mistake_of_our_own_is_one_line_and_stops_nothing(java_classes: Path, tmp_path: Path) -> None:
    seen = tell("mistaken", java_classes, tmp_path)
    assert seen["a mistake"] == [UNEXPECTED]
    assert seen["while the window closes"] == NOTHING
    assert seen["the thread that listens goes on"] == ["cache/incoming/film.dcm FILM"]
    assert seen["no room for a photo"][0].startswith("no photo can be taken (")
    assert seen["room for a photo"] == 1


def test_workers_ask_for_no_class_that_android_hides_from_them(seen: dict[str, Any]) -> None:
    assert seen["classes that only the main thread finds"] == []


def test_the_thread_that_listens_gathers_no_references(java_classes: Path, tmp_path: Path) -> None:
    """A thread of Android 7 can hold 512, and then the process ends."""
    done = run_in_jvm(STORY, "much", str(tmp_path), classes=java_classes)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == {"after much": ["cache/incoming/film.dcm FILM"]}
    held = [int(number) for number in re.findall(r"JNI local refs: (\d+)", done.stdout)]
    assert max(held, default=0) < 128


def asking(action: str, kind: str | None = None, *categories: str) -> dict[str, Any]:
    """What an intent says that grants nothing and carries nothing."""
    return {"action": action, "type": kind, "categories": [*categories], "flags": 0, "clip": [], "extra": None}
