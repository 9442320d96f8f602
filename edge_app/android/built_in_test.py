"""The app's test of itself on a phone: the bundle it comes with has to answer as where it was staged.

It is asked for from a computer, by a boolean extra of the intent that starts the app, and its outcome is one line in
the system's log; the app goes on as ever meanwhile. It touches no data of the clinic:

    adb shell am start -n PACKAGE/org.osteoedge.app.EdgeActivity --ez osteo_edge_test true
    adb logcat -s python | grep 'osteo-edge self-test:'
"""

import json
import logging
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from osteo_edge.edge_app.android.expected_answer import ExpectedAnswer, read_expected
from osteo_edge.edge_app.answer import open_saved, write_report
from osteo_edge.edge_app.clinic import Answered, Clinic
from osteo_edge.edge_app.demo_bundle import is_demo
from osteo_edge.edge_app.drawn_film import DRAWN_FILM
from osteo_edge.edge_app.exports.csv_file import write_csv
from osteo_edge.edge_app.folders import Folders
from osteo_edge.edge_app.history.entry import Patient
from osteo_edge.edge_app.history.images import picture_of
from osteo_edge.edge_app.models.trial import read_usable, trial_bone
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.hashing import sha256_file
from osteo_edge.preflight import open_checked
from osteo_edge.screening import screen

HEAD: Final = "osteo-edge self-test:"
"""What the line begins with, in the system's log."""
MAX_REASON: Final = 300


class SelfTestError(OsteoEdgeError):
    """What the test has found wrong."""


@dataclass(frozen=True)
class Shipped:
    """What the app comes with: the folder of its bundle, and the file with what that one is expected to answer."""

    bundle: Path
    expected: Path


def run_built_in_test(shipped: Shipped, scratch: Path, *, threads: int | None = None) -> str:
    """Do the test; gives the line for the log, whatever happens.

    As a film of a patient is, the drawn film is read, screened by the app's own bundle, saved and made a report of, in
    a history of its own below `scratch`, which is removed. The line has "passed" with the scores, or "failed" with the
    reason.
    """
    start = time.monotonic()
    try:
        expected = read_expected(shipped.expected)
        answered, runtime = _answer(shipped.bundle, expected, threads)
        _compare(answered, expected)
        _save(shipped.bundle, answered, scratch)
    except OsteoEdgeError as error:
        return failed_line(str(error))
    except Exception as error:  # a test says what stopped it
        logging.getLogger(__name__).exception("the built-in test ended")
        return failed_line(f"{type(error).__name__}: {error}")
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    values = {
        "score": f"{answered.screening.score:.4f}",
        "expected": f"{expected.score:.4f}",
        "tolerance": f"{expected.tolerance:g}",
        "model": json.dumps(f"{answered.manifest.name} {answered.manifest.version}"),
        "runtime": json.dumps(runtime),
        "seconds": f"{time.monotonic() - start:.1f}",
    }
    return f"{HEAD} passed {' '.join(f'{name}={value}' for name, value in values.items())}"


def failed_line(reason: str) -> str:
    """The line for the log about a test that failed, or that could not be begun."""
    return f"{HEAD} failed: {' '.join(reason.split())[:MAX_REASON]}"


def _answer(folder: Path, expected: ExpectedAnswer, threads: int | None) -> tuple[Answered, str]:
    """The answer to the drawn film, which a model that knows its films is to give too, and the runtime's name."""
    bundle = read_usable(folder)
    _require_same("the model", bundle.manifest.model.sha256, expected.model_sha256)
    _require_same("the drawn film", sha256_file(DRAWN_FILM), expected.film_sha256)
    interpreter = open_checked(bundle, threads=threads)
    bone = trial_bone(bundle.manifest)
    radiograph, screening = screen(DRAWN_FILM, bundle, interpreter, any_film=True, bone=bone)
    manifest = bundle.manifest
    answered = Answered(DRAWN_FILM, picture_of(DRAWN_FILM), radiograph, screening, manifest, is_demo(manifest))
    return answered, interpreter.name


def _compare(answered: Answered, expected: ExpectedAnswer) -> None:
    score = answered.screening.score
    if score is None:
        raise SelfTestError(f"no score: {answered.screening.headline} ({'; '.join(answered.screening.reasons)})")
    if not expected.is_met_by(score):
        apart = f"at most {expected.tolerance:g} apart, and {expected.log_odds_tolerance:g} in log odds"
        raise SelfTestError(f"score {score:.4f}, expected {expected.score:.4f} ({apart})")


def _save(bundle: Path, answered: Answered, scratch: Path) -> None:
    """Save the answer in a history of its own, open it from there, and write its report and the table."""
    clinic = Clinic(Folders(scratch), bundle=bundle)
    try:
        record = clinic.record(answered, patient=Patient())
        saved = open_saved(clinic, clinic.save(record).id, check=_go_on)
        if saved.entry != record.entry or saved.picture is None:
            raise SelfTestError(saved.problem or "the history gives back another entry than was saved")
        write_report(clinic, saved, scratch, str, check=_go_on)
        write_csv(scratch / "table.csv", [saved.entry])
    finally:
        clinic.close()


def _go_on() -> None:
    """Nothing ends the test in the middle."""


def _require_same(what: str, found: str, expected: str) -> None:
    if found != expected:
        raise SelfTestError(f"{what} is another one than was staged ({found[:12]}, expected {expected[:12]})")
