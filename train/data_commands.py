"""The commands of `osteo-edge data`: they open, call the library and show what it found."""

from pathlib import Path

import click

from osteo_edge.amounts import counted
from osteo_edge.console import progress, show_json
from osteo_edge.dataset import read_dataset
from osteo_edge.hashing import sha256_file
from osteo_edge.split import COLUMNS, EXCLUDED, PARTS, write_split
from osteo_edge.table import require_place

path_argument = click.Path(path_type=Path)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON on standard output instead of tables.")


@click.group()
def data() -> None:
    """Draw, audit, split and join data sets.

    DATA is a folder of class folders, or a CSV file with the columns path and label and, where known, patient, age
    (years), sex, weight (kg), bone, study and published_part. A folder that holds such a CSV file directly is read by
    it.
    """


@data.command()
@click.argument("dataset", metavar="DATA", type=path_argument)
@json_option
def audit(dataset: Path, as_json: bool) -> None:
    """Find copies, contradicting labels and confounders in DATA.

    Reads every image once and changes nothing. Copies that were mirrored, turned by right angles, rescaled or saved
    again are found; copies that were cropped or turned by a few degrees are not.

    \b
    Example:
      osteo-edge data audit knees/
      osteo-edge data audit knees.csv --json > audit.json
    """
    from osteo_edge.train.audit import audit as audit_dataset
    from osteo_edge.train.audit_report import show_audit

    cases = read_dataset(dataset)
    with progress("Reading images") as advance:
        found = audit_dataset(cases, on_progress=advance)
    if as_json:
        show_json(found.to_dict())
    else:
        show_audit(found)


@data.command()
@click.argument("dataset", metavar="DATA", type=path_argument)
@click.option("--out", required=True, type=path_argument, help="The split file to write, CSV.")
@click.option(
    "--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True, help="Another seed gives another split."
)
@json_option
def split(dataset: Path, out: Path, seed: int, as_json: bool) -> None:
    """Divide DATA into train (60 %), validation and test (20 % each).

    Copies of an image and images of a patient stay in one part. Conflicting labels, surplus exact copies, blank and
    unreadable files are excluded, with the reason in the split file. A published test part (column published_part)
    stays the test part, and 20 % of the published training part become validation.

    \b
    Example:
      osteo-edge data split knees/ --out split.csv --seed 1
      osteo-edge data split mura.csv --out mura-split.csv
    """
    from osteo_edge.train.audit import audit as audit_dataset
    from osteo_edge.train.audit_report import count_by_bone, show_split
    from osteo_edge.train.splitting import make_split

    require_place(out, COLUMNS)
    cases = read_dataset(dataset)
    with progress("Reading images") as advance:
        found = audit_dataset(cases, on_progress=advance, confounders=False)
    made = make_split(found, cases, seed=seed)
    write_split(made, out)
    if as_json:
        show_json(
            {
                "split": str(out),
                "sha256": sha256_file(out),
                "seed": seed,
                "counts": {part: made.counts(part) for part in (*PARTS, EXCLUDED)},
                "bones": count_by_bone(made, cases),
                "conflicts": found.conflicts,
                "excluded": {row.name: row.reason for row in made.rows if row.part == EXCLUDED},
            }
        )
    else:
        show_split(made, cases)
        click.echo(f"written: {out}")


@data.command(short_help="Join class folders with a patient sheet into one CSV.")
@click.argument("images", type=path_argument)
@click.argument("sheet", type=path_argument)
@click.option("--out", required=True, type=path_argument, help="The data set CSV to write.")
@click.option("--id-column", help="The column of SHEET that holds the images' names; else Patient Id, Patient or Id.")
@click.option("--label-source", default="", help="What decided the labels: DXA, QUS, radiologist, ...")
def join(images: Path, sheet: Path, out: Path, id_column: str | None, label_source: str) -> None:
    """Join the class folders IMAGES with a patient SHEET (CSV) into one data set CSV.

    An image belongs to the line whose id is its file name without suffix, in any case. Images without a line are
    kept, with nothing known of the patient.

    \b
    Example:
      osteo-edge data join knees/images knees/patients.csv --label-source QUS --out knees.csv
    """
    from osteo_edge.train.joining import write_joined

    counts = write_joined(images, sheet, out, id_column=id_column, label_source=label_source)
    for what, number in counts.items():
        click.echo(f"{what.replace('_', ' ')}: {number}")
    click.echo(f"written: {out}")


@data.command(short_help="Make one data set CSV of two.")
@click.argument("first", type=path_argument)
@click.argument("second", type=path_argument)
@click.option("--out", required=True, type=path_argument, help="The data set CSV to write.")
@click.option("--bone", help="The bone of films whose data set names none, such as knee.")
def merge(first: Path, second: Path, out: Path, bone: str | None) -> None:
    """Make one data set CSV of two, for a cascade that answers for the bones of both.

    Each bone keeps its own labels: knees normal, osteopenia and osteoporosis, the others normal and abnormal. The two
    sets must not share patients: those of one are taken for others than those of the other.

    \b
    Example:
      osteo-edge data merge mura.csv knees.csv --bone knee --out all.csv
      osteo-edge train all.csv --recipe cascade-shared --heads elbow,wrist,knee --out bones
    """
    from osteo_edge.train.merging import lost_parts, write_merged

    counts = write_merged(first, second, out, bone=bone)
    for name in lost_parts(first, second):
        click.echo(f"{name}: its published parts are not kept, since the other set has none", err=True)
    for name, number in counts.items():
        click.echo(f"{name}: {counted(number, 'image')}")
    click.echo(f"written: {out}")


@data.command(short_help="Draw X-rays of seven bones into the new folder OUT.")
@click.argument("out", type=path_argument)
@click.option("--per-class", default=20, show_default=True, help="Studies of each bone and label.")
@click.option("--size", default=320, show_default=True, help="Height of a film in pixels.")
@click.option(
    "--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True, help="Another seed draws other patients."
)
def limbs(out: Path, per_class: int, size: int, seed: int) -> None:
    """Draw X-rays of seven bones, normal and abnormal, into the new folder OUT.

    OUT is laid out as MURA-v1.1: studies of one to four films, a fifth of them in valid/. Abnormal are fractures and
    metal; contact_sheet.png shows some. For trying things where MURA is not at hand: a model trained on them says
    nothing about patients.

    \b
    Example:
      osteo-edge data limbs limbs/ --per-class 50
      osteo-edge data mura limbs/ --out limbs.csv
    """
    from osteo_edge.train.limb_release import write_limbs

    with progress("Drawing films") as advance:
        written = write_limbs(out, per_class=per_class, size=size, seed=seed, on_progress=advance)
    click.echo(f"written: {written}")


@data.command(short_help="List the films of MURA-v1.1 in one data set CSV.")
@click.argument("folder", metavar="DIR", type=path_argument)
@click.option("--out", required=True, type=path_argument, help="The data set CSV to write.")
@click.option("--only-train", is_flag=True, help="Go on without valid/, the published test part.")
@click.option("--without-lists", is_flag=True, help="Go on without MURA's own CSV files.")
@json_option
def mura(folder: Path, out: Path, only_train: bool, without_lists: bool, as_json: bool) -> None:
    """List the films of MURA-v1.1, which lies in DIR, in one data set CSV.

    Every image is opened once: broken ones are left out and named. valid/ becomes the test part. MURA is to be had
    from Stanford after registration and is no part of this program.

    \b
    Example:
      osteo-edge data mura MURA-v1.1/ --out mura.csv
      osteo-edge data split mura.csv --out mura-split.csv
    """
    from osteo_edge.train.mura import read_mura, write_mura
    from osteo_edge.train.mura_report import show_mura, to_dict

    with progress("Reading images") as advance:
        found = read_mura(folder, only_train=only_train, without_lists=without_lists, on_progress=advance)
    write_mura(found, out)
    if as_json:
        show_json(to_dict(found, out))
    else:
        show_mura(found, out)


@data.command()
@click.argument("out", type=path_argument)
@click.option("--per-class", default=100, show_default=True, help="Films of each class.")
@click.option("--size", default=512, show_default=True, help="Height of a film in pixels.")
@click.option(
    "--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True, help="Another seed draws other patients."
)
def phantom(out: Path, per_class: int, size: int, seed: int) -> None:
    """Draw knee X-rays of known bone density into the new folder OUT.

    For trying things where no patient data is at hand: a model trained on them says nothing about patients.

    \b
    Example:
      osteo-edge data phantom phantoms/ --per-class 50 --size 320
    """
    from osteo_edge.train.phantoms import write_phantoms

    with progress("Drawing films") as advance:
        written = write_phantoms(out, per_class=per_class, size=size, seed=seed, on_progress=advance)
    click.echo(f"written: {written}")
