"""Where an archive's films are: what was named, and the names of the films there, one after the other.

Names are relative to the source's root, or absolute where a list has them so. What is no film is counted by reason.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from osteo_edge.archive.dicomdir import IMAGE_DIRECTORY, names_in_dicomdir
from osteo_edge.archive.film_lists import names_in_list, names_in_table
from osteo_edge.archive.folder_tree import names_in_folder
from osteo_edge.archive.plan import Kind, Source
from osteo_edge.errors import OsteoEdgeError

LISTS: Final[dict[str, Kind]] = {".txt": "list", ".csv": "table", ".parquet": "table"}


def open_source(path: Path) -> Source:
    """What stands at a path; OsteoEdgeError for what is no source of films."""
    whole = path.resolve()
    if whole.is_dir():
        return Source(str(whole), "folder", str(whole))
    if not whole.is_file():
        raise OsteoEdgeError(f"{path}: no such folder or file; name the archive's folder, or a list of its films")
    kind = "dicomdir" if whole.name.upper() == IMAGE_DIRECTORY else LISTS.get(whole.suffix.lower())
    if kind is None:
        raise OsteoEdgeError(
            f"{path}: not a source of films; name a folder, a list (.txt), an index (.csv or .parquet with a column "
            "path), or a DICOMDIR"
        )
    return Source(str(whole), kind, str(whole.parent))


def film_names(source: Source, left_out: Counter[str], *, skip: Path | None) -> Iterator[str]:
    """The names of the films of a source, each once; `left_out` counts the rest by reason as they are found.

    The folder `skip`, that of the results, is not gone into. OsteoEdgeError for a source that cannot be read.
    """
    path = Path(source.path)
    if source.kind == "folder":
        names = names_in_folder(path, left_out, skip=skip)
    elif source.kind == "dicomdir":
        names = names_in_dicomdir(path, left_out)
    elif source.kind == "list":
        names = names_in_list(path, left_out)
    else:
        names = names_in_table(path, left_out)
    return _texts(names, left_out)


def _texts(names: Iterator[str], left_out: Counter[str]) -> Iterator[str]:
    """The names that are text: a data set can hold no others."""
    for name in names:
        if "\0" in name or not _is_text(name):
            left_out["name_is_no_text"] += 1
        else:
            yield name


def _is_text(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
