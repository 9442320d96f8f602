"""`osteo-edge screen`: the command; the flow itself is in `screening` and `study_screening`."""

import math
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from osteo_edge.bundle import Bundle, read_bundle
from osteo_edge.console import printable, show_json
from osteo_edge.errors import OsteoEdgeError, RadiographError
from osteo_edge.preflight import open_checked
from osteo_edge.preprocessing import Pixels
from osteo_edge.radiograph import Radiograph, read_radiograph
from osteo_edge.reading import Reader, timed
from osteo_edge.runtime import Interpreter
from osteo_edge.screening import Answer, Failure, Screening, require_screenable, screen_all
from osteo_edge.targets import require_outside_bundles
from osteo_edge.trust import require_trusted
from osteo_edge.wording import probability_in_words

if TYPE_CHECKING:
    from osteo_edge.second_look import SecondLook
    from osteo_edge.study_screening import StudyFilm, StudyScreening

LookAgain = Callable[[Radiograph, Screening], "SecondLook | None"]


@click.command(short_help="Screen X-ray images with a TFLite bundle.")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.argument("images", type=click.Path(path_type=Path), nargs=-1)
@click.option(
    "--study",
    "studies",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="FOLDER",
    help="Instead of images: a folder that holds the films of one study, which get one answer. May be repeated.",
)
@click.option("--bone", help="The bone that every film shows, for a model that tells bones apart: believed, not asked.")
@click.option(
    "--overlay", type=click.Path(path_type=Path), help="Write the annotated film of each image to this folder."
)
@click.option(
    "--force", is_flag=True, help="Answer with a model that failed its check after conversion, each answer warned of."
)
@click.option(
    "--any-film",
    is_flag=True,
    help="Answer, with a warning, films unlike those that the model learned from: to try it out on a drawn one.",
)
@click.option(
    "--second-look",
    is_flag=True,
    help="Answer each image mirrored and a little shifted too, and say where that differs; the answer stays as it is.",
)
@click.option("--threads", type=click.IntRange(1, 64), help="Threads of the interpreter [default: cores, at most 4].")
@click.option(
    "--one-process",
    is_flag=True,
    help="Decode films in the program itself, which takes less memory; one that breaks a decoder then ends it.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, one line an image or study.")
@click.pass_context
def screen(
    ctx: click.Context,
    bundle: Path,
    images: tuple[Path, ...],
    studies: tuple[Path, ...],
    bone: str | None,
    overlay: Path | None,
    force: bool,
    any_film: bool,
    second_look: bool,
    threads: int | None,
    one_process: bool,
    as_json: bool,
) -> None:
    """Screen X-ray images (PNG, JPEG, BMP, TIFF, DICOM) with a TFLite bundle.

    Each image is referred, without finding, uncertain, or rejected. A referral aid, never a diagnosis, and no answer
    rules anything out. An image that cannot be read is reported, the others are answered, and the exit code is 1. A
    model that failed its check after conversion is refused; so is a film that is unlike those that the model learned
    from. On a device that holds trusted keys a model that is not signed is refused.

    A model that tells bones apart says which bone it took a film for, and gives no answer where that is not clear;
    --bone says it instead. With --study several views get one answer, by the mean of their probabilities: films that
    are rejected or cannot be read are left out and named, and views that show different bones get no answer. A study
    of which no film can be read is reported, and the exit code is 1.

    With --second-look the same model sees five more versions of each image, and a line says whether all are answered
    as the image was. Where they are not, the answer hangs on more than the bone: let a person look. It takes five
    times as long again, and what it is worth for a model `osteo-edge evaluate --second-look` measures.

    On Linux each image is decoded in a process of its own, without files, network or much time and memory: one that
    breaks the decoder, or was made to take the program over, is one image that cannot be read.

    \b
    Example:
      osteo-edge screen knee-int8 film.dcm --overlay pictures
      osteo-edge screen limbs-int8 front.png side.png --bone elbow
      osteo-edge screen limbs-int8 --study patient7/study1 --study patient8/study1 --json
    """
    if images and studies:
        raise click.UsageError("Name images, or folders with --study, not both.", ctx)
    if not images and not studies:
        raise click.UsageError("Missing argument 'IMAGES...': name images, or a folder with --study.", ctx)
    if studies and second_look:
        raise click.UsageError("--second-look is for images, not for --study, which compares several films.", ctx)
    if overlay is not None:
        require_outside_bundles(overlay, "the overlays")
        if overlay.exists() and not overlay.is_dir():
            raise click.BadParameter(f"{overlay}: is a file; name a folder.", ctx, param_hint="--overlay")
    with _reader(one_process) as read:  # before the model, whose threads a copy of this process cannot have
        loaded = read_bundle(bundle)
        require_trusted(loaded)
        require_screenable(loaded, bone, force)
        interpreter = open_checked(loaded, threads=threads, tell=_complain)
        if not as_json:
            click.echo(f"{printable(f'{loaded.manifest.name}: {loaded.manifest.intended_use}')}\n")
        if studies:
            from osteo_edge.study_screening import screen_studies

            of_studies = screen_studies(studies, loaded, interpreter, bone, force=force, any_film=any_film, read=read)
            done = [_show_study(answer, overlay, read, as_json) for answer in of_studies]
        else:
            of_images = screen_all(images, loaded, interpreter, bone, force=force, any_film=any_film, read=read)
            again = _second_look(loaded, interpreter) if second_look else None
            done = [_show_image(answer, overlay, again, as_json) for answer in of_images]
    if not all(done):
        ctx.exit(1)


@contextmanager
def _reader(one_process: bool) -> Iterator[Reader]:
    """What reads the films: another process, where there is one to be had."""
    if one_process or sys.platform != "linux":
        yield read_radiograph
        return
    from osteo_edge.isolated_reading import IsolatedReader

    with IsolatedReader(forked=True, tell=_complain) as read:
        yield read


def _complain(line: str) -> None:
    click.echo(f"osteo-edge: {printable(line)}", err=True)


def _second_look(bundle: Bundle, interpreter: Interpreter) -> LookAgain:
    from osteo_edge.second_look import compare_looks, look_again

    def look(radiograph: Radiograph, screening: Screening) -> "SecondLook | None":
        """None for an image that was rejected: it has no answer that could be compared."""
        if screening.outcome == "rejected":
            return None
        with timed(screening.stage_ms, "second look"):
            probabilities = look_again(radiograph.pixels, bundle.manifest, interpreter)
        screening.stage_ms["second look"] = round(screening.stage_ms["second look"], 2)
        return compare_looks(screening, probabilities, bundle.manifest)

    return look


def _show_image(
    answer: tuple[Radiograph, Screening] | Failure, overlay: Path | None, again: LookAgain | None, as_json: bool
) -> bool:
    """Show the answer for one image, and what a second look says; False where not all of that could be had."""
    if isinstance(answer, Failure):
        return _show_failure("image", answer, as_json)
    radiograph, screening = answer
    look = None if again is None else again(radiograph, screening)
    picture = None
    if overlay is not None:
        try:
            picture = _picture(overlay, radiograph.pixels, screening)
        except OsteoEdgeError as error:
            _complain(str(error))
    is_whole = overlay is None or picture is not None
    if as_json:
        told = {} if again is None else {"second_look": None if look is None else look.to_dict()}
        show_json({**screening.to_dict(), **told, "overlay": _name_of(picture)}, indent=None)
        return is_whole
    opinion = [] if look is None else [str(look)]
    times = _times(screening.stage_ms, screening.runtime)
    lines = [*_answer_lines(screening), *opinion, times, *_overlay_line(picture)]
    _tell([f"{screening.image}: {screening.headline}", *lines])
    return is_whole


def _show_study(study: "StudyScreening | Failure", overlay: Path | None, read: Reader, as_json: bool) -> bool:
    """Show the answer for one study, and what each film gave towards it; False where not all of that could be had."""
    if isinstance(study, Failure):
        return _show_failure("study", study, as_json)
    pictures = {} if overlay is None else _study_pictures(overlay, study, read)
    is_whole = overlay is None or len(pictures) == len(study.films)
    if as_json:
        plain = study.to_dict()
        names = [{"overlay": _name_of(pictures.get(film.image))} for film in study.films]
        films = [film | name for film, name in zip(plain["films"], names, strict=True)]
        show_json({**plain, "films": films}, indent=None)
        return is_whole
    lines = list(_answer_lines(study))
    for film in study.films:
        lines += [f"{film.image.name}: {_of_film(film, study)}", *_overlay_line(pictures.get(film.image))]
    lines.append(_times(study.stage_ms, study.runtime))
    _tell([f"{study.study}: {study.headline}", *lines])
    return is_whole


def _tell(lines: Iterable[str]) -> None:
    click.echo("\n  ".join(map(printable, lines)))


def _answer_lines(answer: Answer) -> Iterable[str]:
    yield from answer.notes
    if answer.probabilities:
        yield "calibrated probability: " + _named(answer.probabilities, probability_in_words)


def _of_film(film: "StudyFilm", study: "StudyScreening") -> str:
    """What a film gave towards its study's answer; the bone where it is another than the study's."""
    if film.left_out:
        return "left out: " + "; ".join(film.left_out)
    told = [] if film.score is None or math.isnan(film.score) else [f"score {probability_in_words(film.score)}"]
    if film.bone_probability is not None and film.bone_found != study.bone:
        told.append(f"by itself taken for {film.bone_found} ({probability_in_words(film.bone_probability)})")
    return "; ".join(told) or "the model gave no number"


def _times(stage_ms: dict[str, float], runtime: str) -> str:
    return f"{_named(stage_ms, '{:.0f} ms'.format)} ({runtime})"


def _named(values: dict[str, float], in_words: Callable[[float], str]) -> str:
    return ", ".join(f"{name} {in_words(value)}" for name, value in values.items())


def _show_failure(what: str, failure: Failure, as_json: bool) -> bool:
    if as_json:
        show_json({what: str(failure.image), "error": failure.error}, indent=None)
    _complain(failure.error)
    return False


def _overlay_line(picture: Path | None) -> list[str]:
    return [] if picture is None else [f"overlay: {picture}"]


def _name_of(picture: Path | None) -> str | None:
    return None if picture is None else str(picture)


def _picture(folder: Path, pixels: Pixels, screening: Screening, study: str = "") -> Path:
    from osteo_edge.overlay import write_overlay

    name = f"{study}{screening.image.stem}-{screening.image_sha256[:8]}.overlay.png"
    return write_overlay(folder / name, pixels, screening)


def _study_pictures(folder: Path, study: "StudyScreening", read: Reader) -> dict[Path, Path | None]:
    """The overlays of a study's films; without those of films that could not be read again, which is told."""
    pictures = dict[Path, Path | None]()
    for film in study.films:
        try:
            pictures[film.image] = _study_picture(folder, study, film, read)
        except OsteoEdgeError as error:
            _complain(str(error))
    return pictures


def _study_picture(folder: Path, study: "StudyScreening", film: "StudyFilm", read: Reader) -> Path | None:
    """The overlay of one film, which is read again: a study's films are not all kept in memory until its answer."""
    screening = study.of_film(film)
    if screening is None:
        return None
    radiograph = read(film.image)
    if radiograph.sha256 != film.image_sha256:
        raise RadiographError(f"{film.image}: was changed while it was screened; screen it again")
    return _picture(folder, radiograph.pixels, screening, f"{study.study.resolve().name}-")
