"""Screen films one after the other, for whatever has them to screen: a row a film, whatever the film is.

What is wrong with a film is said in its row. What is wrong with this machine, the bundle or the results' place is
raised, since it would be wrong with every film.
"""

import logging
import os
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Final

import numpy as np

from osteo_edge.archive.film import Film, Options
from osteo_edge.archive.film_tags import LEFT_OUT, Tags, left_out, read_tags
from osteo_edge.archive.reasons import FAULT, answer_code, error_code, rejection_code
from osteo_edge.archive.row import FilmOutcome, Row
from osteo_edge.bundle import read_bundle
from osteo_edge.durable import write_durably
from osteo_edge.errors import MissingExtraError, OsteoEdgeError, RadiographError
from osteo_edge.hashing import sha256_file
from osteo_edge.isolated_reading import ONE_THREAD, IsolatedReader
from osteo_edge.manifest import Manifest
from osteo_edge.overlay import encode_overlay
from osteo_edge.preflight import open_checked
from osteo_edge.radiograph import MAX_FILE_BYTES, Radiograph, read_radiograph
from osteo_edge.raster import statistics
from osteo_edge.reading import Reader, Reading, read_film, timed
from osteo_edge.runtime import Interpreter
from osteo_edge.screening import (
    Answer,
    Screening,
    answer_films,
    evidence_for,
    held_to,
    rejection,
    require_screenable,
    severity_of,
)
from osteo_edge.trust import require_trusted
from osteo_edge.wording import Severity

MAPS: Final = "maps"
NO_PYDICOM: Final = "reading DICOM needs"


def keep_to_one_thread() -> None:
    """Have this process, one of a worker for each core, compute with one thread; to be called before it has begun."""
    os.environ.update(dict.fromkeys(ONE_THREAD, "1"))


class FilmScreener:
    """One interpreter with what it needs; a context manager that ends the process in which films are decoded.

    On Linux films are decoded in a process apart unless `isolated` is false: one that breaks a decoder, or takes too
    long, is one unreadable film. The annotated films of positives are written below `out`, where `options` ask for it.
    `BundleError` where `screen` would refuse the bundle too.
    """

    def __init__(
        self, bundle: Path, options: Options | None = None, *, out: Path | None = None, isolated: bool = True
    ) -> None:
        self._options = options or Options()
        self._maps_to = out if self._options.maps else None
        self._bundle = read_bundle(bundle)
        require_trusted(self._bundle)
        require_screenable(self._bundle, self._options.bone, self._options.force)
        self.manifest = self._bundle.manifest
        self._interpreter: Interpreter = open_checked(self._bundle, threads=1)
        self._stack = ExitStack()
        self._read: Reader = read_radiograph
        if isolated and sys.platform == "linux":
            self._read = self._stack.enter_context(IsolatedReader())

    def __enter__(self) -> "FilmScreener":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def runtime(self) -> str:
        """The runtime, its version and its threads."""
        return self._interpreter.name

    def close(self) -> None:
        """End the process in which films are decoded."""
        self._stack.close()

    def rows(self, films: Sequence[Film]) -> list[Row]:
        """A row a film, in their order; OsteoEdgeError for what is not wrong with a film."""
        return [self.row(film) for film in films]

    def row(self, film: Film) -> Row:
        """What became of one film."""
        start = time.perf_counter()
        row = self._row(film)
        return replace(row, ms_total=_since(start))

    def _row(self, film: Film) -> Row:
        start = time.perf_counter()
        tags = read_tags(film.path) or Tags()
        tags_ms = _since(start)
        why = left_out(tags, self.manifest)
        row = self._screened(film) if why is None else self._left_out(film, why)
        return replace(
            row,
            sop_instance_uid=tags.sop_instance_uid,
            study_instance_uid=tags.study_instance_uid,
            series_instance_uid=tags.series_instance_uid,
            ms_read=tags_ms + (row.ms_read or 0.0),
        )

    def warm_up(self) -> None:
        """Have the model answer once, for an empty picture."""
        spec = self.manifest.input
        self._interpreter.run(np.zeros((1, spec.height, spec.width, spec.channels), np.float32))

    def _left_out(self, film: Film, why: str) -> Row:
        return _without_answer(film, self.manifest, "not_screened", why, LEFT_OUT[why])

    def _screened(self, film: Film) -> Row:
        try:
            radiograph, reading = read_film(
                film.path, self._bundle, self._interpreter, any_film=self._options.any_film, read=self._read
            )
            return self._answered(film, radiograph, reading)
        except RadiographError as error:
            sentence = str(error).removeprefix(f"{film.path}: ")
            return unreadable(film, self.manifest, error_code(sentence), sentence)
        except MissingExtraError as error:
            if str(error).startswith(NO_PYDICOM):
                raise
            return unreadable(film, self.manifest, "compression", str(error).removeprefix(f"{film.path}: "))
        except MemoryError:
            return unreadable(film, self.manifest, "too_much_memory", "takes more memory to decode than there is")
        except (OsteoEdgeError, OSError):
            raise
        except Exception as error:  # a fault of this program must not keep a million films from their answers
            logging.getLogger("osteo_edge").debug("%s", film.path, exc_info=True)
            return unreadable(
                film, self.manifest, FAULT, f"a fault of this program ({type(error).__name__}): please report it"
            )

    def _answered(self, film: Film, radiograph: Radiograph, reading: Reading) -> Row:
        answer = self._answer(reading)
        is_rejected = answer.outcome == "rejected"
        reason = rejection_code(answer.reasons[0]) if is_rejected else answer_code(answer.reasons[-1])
        place = None
        if self._maps_to is not None and answer.outcome == "refer":
            with timed(reading.stage_ms, "map"):
                place = self._write_map(self._maps_to, radiograph, reading, answer)
        return Row(
            film=film.name,
            image_sha256=reading.image_sha256,
            outcome=answer.outcome,
            reason=reason,
            reasons=(*answer.warnings, *answer.reasons),
            bone=answer.bone,
            score=answer.score,
            probabilities=answer.probabilities,
            severity=_grade(reading, answer),
            map=place,
            distance=reading.distance,
            contrast=statistics.mean_and_deviation(radiograph.pixels)[1],
            chroma=radiograph.source.chroma,
            quality=reading.quality,
            width=radiograph.source.width,
            height=radiograph.source.height,
            model_sha256=answer.model_sha256,
            ms_read=reading.stage_ms.get("read"),
            ms_prepare=reading.stage_ms.get("prepare"),
            ms_infer=reading.stage_ms.get("infer"),
            ms_map=reading.stage_ms.get("map"),
        )

    def _answer(self, film: Reading) -> Answer:
        """The answer for one film, as `osteo_edge.screening.screen` gives it."""
        about = (self._bundle, self._interpreter, self._options.bone)
        if film.prediction is None:
            return rejection(film.rejected, *about)
        answer = answer_films([film], *about)
        film = held_to(answer, film)
        return answer if film.prediction is not None else rejection(film.rejected, *about)

    def _write_map(self, out: Path, radiograph: Radiograph, film: Reading, answer: Answer) -> str:
        """Write the annotated film; its path below the results, which the film's content decides."""
        digest = film.image_sha256
        screening = Screening(
            **vars(answer),
            image=film.image,
            image_sha256=digest,
            evidence=evidence_for(answer, film, self.manifest),
            severity=_grade(film, answer),
        )
        place = f"{MAPS}/{digest[:2]}/{digest}.png"
        write_durably(out / place, encode_overlay(radiograph.pixels, screening), "the annotated film")
        return place


def _grade(film: Reading, answer: Answer) -> Severity | None:
    return None if film.prediction is None or answer.outcome != "refer" else severity_of(film.prediction)


def unreadable(film: Film, manifest: Manifest, reason: str, sentence: str) -> Row:
    """The row of a film that cannot be read; with its hash, where its bytes at least can be."""
    try:
        is_small = film.path.is_file() and film.path.stat().st_size <= MAX_FILE_BYTES
        digest = sha256_file(film.path) if is_small else None
    except OSError:
        digest = None
    return replace(_without_answer(film, manifest, "unreadable", reason, sentence), image_sha256=digest)


def _without_answer(film: Film, manifest: Manifest, outcome: FilmOutcome, reason: str, sentence: str) -> Row:
    return Row(film=film.name, outcome=outcome, reason=reason, reasons=(sentence,), model_sha256=manifest.model.sha256)


def _since(start: float) -> float:
    return (time.perf_counter() - start) * 1000
