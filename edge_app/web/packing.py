"""Pack the web app: the built page, a model, the texts of all languages, and the worker that stores them."""

import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, get_args
from uuid import uuid4

from osteo_edge.bundle import SIGNATURE_NAME, Bundle
from osteo_edge.edge_app.android.drawing import INK, draw_icon
from osteo_edge.edge_app.languages.catalogue import open_catalogue
from osteo_edge.edge_app.settings import Language
from osteo_edge.edge_app.web.building import Page, built_page
from osteo_edge.edge_app.web.headers import compressed, headers_file, security_headers
from osteo_edge.edge_app.web.packed import INDEX, PACKED_NAME, WORKER, Packed, is_packed, read_files, read_packed
from osteo_edge.edge_app.web.shared import SHARED_NAME, STRINGS, shared_json, strings_json
from osteo_edge.edge_app.web.suitable import read_suitable
from osteo_edge.edge_app.web.web_sbom import web_sbom
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.findings import findings_of
from osteo_edge.hashing import sha256_bytes
from osteo_edge.manifest import FILE_NAME, Manifest
from osteo_edge.new_folder import new_folder
from osteo_edge.signature import PublicKey, read_public_key, verify
from osteo_edge.version import VERSION
from osteo_edge.wording import advice

BUNDLE: Final = "bundle"
MANIFEST: Final = "manifest.webmanifest"
HEADERS: Final = "_headers"
SBOM: Final = "sbom.cdx.json"
NOT_STORED: Final = (HEADERS, SBOM)
"""What no page asks for: a browser does not store it."""
LATER: Final = ("assets/charlswasm_", "assets/lock_worker-", "assets/openjpegwasm_", "assets/sql-wasm-")
"""How the names of files begin that backups and few films need: they are stored when films can be screened already."""
NAME: Final = "osteo-edge"
STEPS: Final = 3
ICONS: Final = {
    "icons/icon-192.png": (192, False),
    "icons/icon-512.png": (512, False),
    "icons/maskable-512.png": (512, True),
    "icons/apple-touch-icon.png": (180, True),
}
"""The side of each in pixels, and whether it is a full square."""


@dataclass(frozen=True)
class PackedApp:
    """A packed app: its folder, and what it comes to.

    The first load is what a browser fetches until it can screen without a network, with the larger of LiteRT.js's two
    variants; the later load follows in the background.
    """

    path: Path
    bundle: str
    files: int
    folder_bytes: int
    first_load_bytes: int
    later_load_bytes: int


def pack(
    bundle: Path,
    out: Path,
    *,
    name: str | None = None,
    language: Language | None = None,
    trusted: Sequence[Path] = (),
    on_progress: Callable[[str, int, int], None] = lambda *_: None,
) -> PackedApp:
    """Pack the app into the folder `out`, whole or not at all; the same bundle and program give the same bytes.

    `name` is what the app is called, `language` the one that it begins in (None: the browser's). `trusted` are files of
    public keys: with any, the page uses the bundle only if one of them has signed it. A folder that an earlier packing
    wrote is replaced, any other is refused.

    `BundleError` if a browser cannot screen with the bundle, `OsteoEdgeError` for all else that is not as it must be.
    """
    _require_own(out)
    keys = tuple(read_public_key(path) for path in trusted)
    on_progress("the model", 0, STEPS)
    suitable = read_suitable(bundle)
    _require_outside(bundle, out)
    if keys:
        verify(suitable, keys)
    page = built_page(lambda stage: on_progress(stage, 1, STEPS))
    on_progress("the app", 2, STEPS)
    files = _files(page, suitable, name, language, keys)
    with _replacing(out) as folder:
        for file, content in files.items():
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).write_bytes(content)
    on_progress("the app", STEPS, STEPS)
    return PackedApp(
        out,
        f"{suitable.manifest.name} {suitable.manifest.version}",
        len(files),
        sum(map(len, files.values())),
        sum(len(files[file]) for file in first_load(files)),
        sum(len(files[file]) for file in later_load(files)),
    )


def sent_bytes(folder: Path) -> tuple[int, int]:
    """The first and the later load of a packed app as `osteo-edge serve` sends them, compressed; takes a second."""
    files = read_files(folder)[1]
    sent = {file: len(compressed(file, content) or content) for file, content in files.items()}
    return sum(sent[file] for file in first_load(files)), sum(sent[file] for file in later_load(files))


def first_load(files: Mapping[str, bytes]) -> list[str]:
    """The names of what a browser fetches until it can screen without a network: of two variants the larger one."""
    relaxed, compat = _variants(files)
    unused = min((relaxed, compat), key=lambda names: sum(len(files[name]) for name in names))
    return sorted(set(files) - {*unused, *NOT_STORED, PACKED_NAME, *later_load(files)})


def later_load(files: Iterable[str]) -> list[str]:
    """The names of what it fetches after that, in the background."""
    return sorted(name for name in files if name.startswith(LATER))


def _files(
    page: Page, bundle: Bundle, name: str | None, language: Language | None, keys: tuple[PublicKey, ...]
) -> dict[str, bytes]:
    """Every file of the app by its name."""
    about = f"{bundle.manifest.name} {bundle.manifest.version}"
    files = {file: (page.folder / file).read_bytes() for file in page.files if file != WORKER}
    headers = security_headers(files[INDEX])
    files |= {f"{BUNDLE}/{file}": (bundle.path / file).read_bytes() for file in _bundle_files(bundle)}
    files[SHARED_NAME] = shared_json(bundle, name=name, language=language, trusted=keys)
    for one in get_args(Language):
        if one != "en":
            files[f"{STRINGS}/{one}.json"] = strings_json(one)
    files |= {icon: draw_icon(side, is_whole=whole) for icon, (side, whole) in ICONS.items()}
    files[MANIFEST] = _manifest(name or NAME, language or "en", bundle.manifest)
    files[WORKER] = _packed_line(files, headers) + (page.folder / WORKER).read_bytes()
    files[HEADERS] = headers_file(headers)
    files[SBOM] = web_sbom(bundle.manifest, page.packages, files)
    digests = {file: sha256_bytes(content) for file, content in sorted(files.items())}
    files[PACKED_NAME] = Packed(1, f"osteo-edge {VERSION}", about, headers, digests).to_json()
    return files


def _bundle_files(bundle: Bundle) -> list[str]:
    signature = [SIGNATURE_NAME] if (bundle.path / SIGNATURE_NAME).is_file() else []
    return [FILE_NAME, bundle.manifest.model.file, *bundle.manifest.files, *signature]


def _packed_line(files: Mapping[str, bytes], headers: Mapping[str, str]) -> bytes:
    """What the service worker knows of the files that it is to store: the first line of its script."""
    digests = {name: sha256_bytes(content) for name, content in sorted(files.items())}
    relaxed, compat = _variants(files)
    known = {
        "files": digests,
        "relaxed": relaxed,
        "compat": compat,
        "later": later_load(files),
        "headers": headers,
    }
    version = sha256_bytes(json.dumps(known, sort_keys=True).encode())
    return f"self.PACKED = {json.dumps({'version': version, **known}, sort_keys=True)};\n".encode()


def _variants(files: Mapping[str, bytes]) -> tuple[list[str], list[str]]:
    """LiteRT.js's files for browsers with relaxed SIMD, and for those without."""
    all_of_them = sorted(name for name in files if "/litert_wasm_" in name)
    compat = [name for name in all_of_them if "/litert_wasm_compat_" in name]
    return sorted(set(all_of_them) - set(compat)), compat


def _manifest(name: str, language: Language, model: Manifest) -> bytes:
    """What an installed app is called and looks like (W3C, Web Application Manifest)."""
    say = open_catalogue(language)
    ink = "#{:02x}{:02x}{:02x}".format(*INK)
    icons = [
        {"src": icon, "sizes": f"{side}x{side}", "type": "image/png", "purpose": "maskable" if whole else "any"}
        for icon, (side, whole) in ICONS.items()
        if "apple" not in icon
    ]
    told = {
        "name": name,
        "short_name": name,
        "description": " ".join(say(advice("refer", finding)) for finding in findings_of(model)),
        "lang": language,
        "id": "./",
        "start_url": "./",
        "scope": "./",
        "display": "standalone",
        "background_color": "#ffffff",
        "theme_color": ink,
        "icons": icons,
    }
    return (json.dumps(told, indent=1, ensure_ascii=False) + "\n").encode()


def _require_own(out: Path) -> None:
    """Raise `OsteoEdgeError` for a folder with anything in it that no packing wrote."""
    if not out.exists() and not out.is_symlink():
        return
    if out.is_symlink() or not out.is_dir():
        raise OsteoEdgeError(f"{out}: exists and is no folder; choose another --out")
    known = {PACKED_NAME, *read_packed(out).files} if is_packed(out) else set()
    there = (path for path in out.rglob("*") if not path.is_dir() or path.is_symlink())
    foreign = next((path for path in there if path.relative_to(out).as_posix() not in known), None)
    if foreign is not None:
        raise OsteoEdgeError(
            f"{foreign}: was not written by `osteo-edge package web`; choose another --out, or take it away"
        )


def _require_outside(bundle: Path, out: Path) -> None:
    """Raise `OsteoEdgeError` for a folder in the bundle: with it there, the bundle could not be read any more."""
    if out.resolve().is_relative_to(bundle.resolve()):
        raise OsteoEdgeError(
            f"{out}: lies in the bundle, which holds what its manifest lists alone; choose another --out"
        )


@contextmanager
def _replacing(out: Path) -> Iterator[Path]:
    """A new folder that becomes `out`, in the place of what was packed before, when the block ends without an error."""
    if not out.exists():
        with new_folder(out, "the web app") as folder:
            yield folder
        return
    fresh = out.with_name(f".{out.name}.{uuid4().hex}.fresh")
    try:
        with new_folder(fresh, "the web app") as folder:
            yield folder
        _exchange(fresh, out)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _exchange(fresh: Path, out: Path) -> None:
    former = out.with_name(f".{out.name}.{uuid4().hex}.former")
    try:
        out.rename(former)
        try:
            fresh.rename(out)
        except OSError:
            former.rename(out)
            raise
    except OSError as error:
        raise OsteoEdgeError(f"{out}: the web app cannot be written ({error.strerror or error})") from error
    shutil.rmtree(former, ignore_errors=True)
