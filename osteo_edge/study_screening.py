"""Several films of one study get one answer: by the mean of their calibrated probabilities (Rajpurkar et al. 2018)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from osteo_edge.bundle import Bundle
from osteo_edge.dataset import IMAGE_SUFFIXES
from osteo_edge.errors import MissingExtraError, RadiographError
from osteo_edge.manifest import Manifest
from osteo_edge.preprocessing import Pixels
from osteo_edge.radiograph import read_radiograph
from osteo_edge.reading import Reader, Reading, read_film
from osteo_edge.routing import given_bone, route
from osteo_edge.runtime import Interpreter
from osteo_edge.screening import (
    Answer,
    Failure,
    Screening,
    answer_films,
    evidence_for,
    held_to,
    probabilities_of,
    rejection,
    require_screenable,
    score_of,
)

MAX_FILMS = 100
"""More are no study, but a folder of many: their mean would say nothing of anybody."""
DICOM_MARK, DICOM_MARK_AT = b"DICM", 128


@dataclass(frozen=True, eq=False)
class StudyFilm:
    """What one film gave towards its study's answer; it is no answer by itself.

    `left_out` says why it does not count, and there is nothing else then; `image_sha256` is None for a file that could
    not be read. `bone_found` and `bone_probability` are of this film alone, None for a model of one question. There is
    no score where no head answered for the study.
    """

    image: Path
    image_sha256: str | None = None
    score: float | None = None
    bone_found: str | None = None
    bone_probability: float | None = None
    left_out: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    evidence: Pixels | None = None
    stage_ms: dict[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The film for machines, without the picture."""
        plain = {name: value for name, value in vars(self).items() if name != "evidence"}
        texts = {"left_out": list(self.left_out), "warnings": list(self.warnings)}
        return {**plain, **texts, "image": str(self.image)}


@dataclass(frozen=True, eq=False, kw_only=True)
class StudyScreening(Answer):
    """The one answer for a study: a folder of films that were taken of one part of one patient on one occasion."""

    study: Path
    films: tuple[StudyFilm, ...]

    @property
    def counted(self) -> tuple[StudyFilm, ...]:
        """The films that the answer is made of."""
        return tuple(film for film in self.films if not film.left_out)

    @property
    def made_of(self) -> str:
        """How many films the answer is made of, and which were left out, in words."""
        left_out = ", ".join(film.image.name for film in self.films if film.left_out)
        count = f"films in this answer: {len(self.counted)} of {len(self.films)}"
        return f"{count}; left out: {left_out}" if left_out else count

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to be shown below the headline: as of any answer, and what it is made of."""
        return (*super().notes, self.made_of)

    @property
    def stage_ms(self) -> dict[str, float]:
        """What each stage took for all films together, in milliseconds."""
        stages = [film.stage_ms for film in self.films]
        names = dict.fromkeys(name for taken in stages for name in taken)
        return {name: round(sum(taken.get(name, 0.0) for taken in stages), 2) for name in names}

    def of_film(self, film: StudyFilm) -> Screening | None:
        """What to write beside a film of this study; None for a file that could not be read.

        The study's answer and the film's own evidence for it. A film that was left out was rejected.
        """
        if film.image_sha256 is None:
            return None
        answer = {name: getattr(self, name) for name in Answer.__dataclass_fields__}
        if film.left_out:
            nothing = dict.fromkeys(("score", "bone", "bone_found", "bone_probability"))
            answer |= {**nothing, "outcome": "rejected", "probabilities": {}, "reasons": film.left_out}
        else:
            answer["reasons"] = (*self.reasons, "this is the answer of the whole study", self.made_of)
        return Screening(
            **answer,
            image=film.image,
            image_sha256=film.image_sha256,
            evidence=film.evidence,
            stage_ms=film.stage_ms,
        )

    def to_dict(self) -> dict[str, Any]:
        """The answer and its films for machines."""
        plain = {name: value for name, value in vars(self).items() if name not in ("study", "films")}
        words = {"headline": self.headline, "advice": self.advice}
        texts = {"reasons": list(self.reasons), "warnings": list(self.warnings)}
        films = [film.to_dict() for film in self.films]
        return {"study": str(self.study), **words, **plain, **texts, "films": films}


def screen_studies(
    studies: Iterable[Path],
    bundle: Bundle,
    interpreter: Interpreter,
    bone: str | None = None,
    *,
    force: bool = False,
    any_film: bool = False,
    read: Reader = read_radiograph,
) -> Iterator[StudyScreening | Failure]:
    """Screen folders of films one by one; one that holds no readable film becomes a `Failure`, the others go on.

    Raises at once what `screen_all` raises. `bone`, `any_film` and `read` are those of `screen`.
    """
    require_screenable(bundle, bone, force)
    return (_screen_or_fail(study, bundle, interpreter, bone, any_film, read) for study in studies)


def screen_study(
    study: Path,
    bundle: Bundle,
    interpreter: Interpreter,
    bone: str | None = None,
    *,
    force: bool = False,
    any_film: bool = False,
    read: Reader = read_radiograph,
) -> StudyScreening:
    """One answer for the films of a folder.

    Films that are rejected or cannot be read are left out; if all are, the study is rejected. Of a model that tells
    bones apart the head answers whose bone the films show on average; none does where two films show different bones
    beyond doubt. Raises `RadiographError` for a folder that holds no film, or none that can be read.
    """
    require_screenable(bundle, bone, force)
    seen = [_read(path, bundle, interpreter, any_film, read) for path in films_in(study)]
    readable = [film for film in seen if isinstance(film, Reading)]
    if not readable:
        first = next(film for film in seen if isinstance(film, Failure))
        raise RadiographError(
            f"{study}: no film of this study can be read; the first, {first.image.name}: {first.error}"
        )
    counted = [film for film in readable if film.prediction is not None]
    if counted:
        answer = answer_films(counted, bundle, interpreter, bone)
        seen = [held_to(answer, film) if isinstance(film, Reading) else film for film in seen]
        fit = [film for film in seen if isinstance(film, Reading) and film.prediction is not None]
        if fit and len(fit) < len(counted):
            answer = answer_films(fit, bundle, interpreter, bone)
        counted = fit
    if not counted:
        readable = [film for film in seen if isinstance(film, Reading)]
        reasons = dict.fromkeys(reason for film in readable for reason in film.rejected)
        answer = rejection(tuple(reasons), bundle, interpreter, bone)
    films = tuple(_film(film, answer, bundle.manifest) for film in seen)
    return StudyScreening(**vars(answer), study=study, films=films)


def films_in(study: Path) -> tuple[Path, ...]:
    """The image files of a folder by name, hidden ones left out; `RadiographError` if there are none, or too many."""
    try:
        found = tuple(sorted(path for path in study.iterdir() if _is_image(path)))
    except OSError as error:
        raise RadiographError(f"{study}: cannot be read ({error.strerror}); name the folder of one study") from error
    if not found:
        raise RadiographError(f"{study}: holds no image file; name the folder that holds the films of one study")
    if len(found) > MAX_FILMS:
        raise RadiographError(
            f"{study}: holds {len(found):,} image files, a study at most {MAX_FILMS}; name the folder of one study"
        )
    return found


def _is_image(path: Path) -> bool:
    """By its suffix; and a file of another name by its content, since DICOM files often have no suffix.

    One that cannot be opened may be one, and reading it tells of that.
    """
    if path.name.startswith("."):
        return False
    if path.suffix.lower() in IMAGE_SUFFIXES:
        return True
    if not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            return file.read(DICOM_MARK_AT + len(DICOM_MARK)).startswith(DICOM_MARK, DICOM_MARK_AT)
    except OSError:
        return True


def _read(path: Path, bundle: Bundle, interpreter: Interpreter, any_film: bool, read: Reader) -> Reading | Failure:
    try:
        return read_film(path, bundle, interpreter, any_film=any_film, read=read)[1]
    except (RadiographError, MissingExtraError) as error:
        return Failure(path, str(error).removeprefix(f"{path}: "))


def _film(film: Reading | Failure, answer: Answer, manifest: Manifest) -> StudyFilm:
    if isinstance(film, Failure):
        return StudyFilm(film.image, left_out=(film.error,))
    if film.prediction is None:
        return StudyFilm(film.image, film.image_sha256, left_out=film.rejected, stage_ms=film.rounded_ms)
    values = probabilities_of(film, manifest)
    found = route(values, manifest, answer.bone_given)
    score = None if answer.score is None else float(score_of(given_bone(values, found, manifest), manifest))
    return StudyFilm(
        image=film.image,
        image_sha256=film.image_sha256,
        score=score,
        bone_found=None if found is None else found.found,
        bone_probability=None if found is None else found.confidence,
        warnings=film.warnings,
        evidence=evidence_for(answer, film, manifest),
        stage_ms=film.rounded_ms,
    )


def _screen_or_fail(
    study: Path, bundle: Bundle, interpreter: Interpreter, bone: str | None, any_film: bool, read: Reader
) -> StudyScreening | Failure:
    try:
        return screen_study(study, bundle, interpreter, bone, force=True, any_film=any_film, read=read)
    except RadiographError as error:
        return Failure(study, str(error))
