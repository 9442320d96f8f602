"""What the web app has from Python: texts, limits, tables. One file, so that nothing of it is typed twice.

`shared.json` lies beside the page, and the catalogues of the languages in `strings`. The names in it are those of the
constants here, written as TypeScript writes names: MAX_ASPECT is maxAspect.
"""

import base64
import json
from dataclasses import fields
from types import ModuleType
from typing import Any, Final, get_args

import numpy as np

from osteo_edge import (
    block_grid,
    evidence,
    gate,
    image_header,
    image_quality,
    knee_matching,
    knee_template,
    knees,
    layout,
    overlay,
    preprocessing,
    radiograph,
    wording,
)
from osteo_edge.bundle import Bundle
from osteo_edge.dicom_terms import IN_PLACE_OF_OTHERS, TERMS
from osteo_edge.edge_app.exports import backup_contents
from osteo_edge.edge_app.history import encrypted, vault
from osteo_edge.edge_app.languages.catalogue import DOMAIN, FOLDER, read_mo
from osteo_edge.edge_app.languages.messages import find_messages
from osteo_edge.edge_app.settings import Language
from osteo_edge.edge_app.web.screen_tables import of_model, screen_tables
from osteo_edge.raster.plain.colour import LUMINANCE, LUMINANCE_BITS
from osteo_edge.raster.plain.colour_maps import colours_of
from osteo_edge.signature import PublicKey
from osteo_edge.version import VERSION

SHARED_NAME: Final = "shared.json"
STRINGS: Final = "strings"
SPEAKING: Final = (
    "bundle", "dicom", "familiarity", "gate", "image_header", "overlay", "radiograph", "routing", "runtime",
    "screening", "verdict", "wording",
)  # fmt: skip
"""Modules of the core whose lines the page says, too, made of the same templates."""


def shared_json(
    bundle: Bundle, *, name: str | None, language: Language | None, trusted: tuple[PublicKey, ...] = ()
) -> bytes:
    """The file that the page of this bundle reads at its start.

    `name` and `language` are what whoever packed the app chose, None what the page finds by itself; `trusted` are the
    keys of which one must have signed the bundle, where there are any.
    """
    return _json({"app": _app(name, language, trusted), **tables(), **of_model(bundle)})


def strings_json(language: Language) -> bytes:
    """The messages of a language that is not English with their translations, as the Kivy app has them."""
    return _json(read_mo((FOLDER / language / "LC_MESSAGES" / f"{DOMAIN}.mo").read_bytes()))


def tables() -> dict[str, Any]:
    """All that depends neither on the model nor on how the app is packed."""
    return {
        **screen_tables(),
        "messages": _messages(),
        "wording": _wording(),
        "gate": constants(gate),
        "quality": constants(image_quality, block_grid),
        "knees": constants(knees, knee_matching, knee_template, layout),
        "kneeTemplate": _knee_template(),
        "limits": constants(radiograph, image_header),
        "overlay": _overlay(),
        "stretchPercentiles": preprocessing.STRETCH_PERCENTILES,
        "modalities": {"terms": TERMS["Modality"], "other": IN_PLACE_OF_OTHERS["Modality"]},
        "transferSyntaxes": _transfer_syntaxes(),
        "vault": _vault(),
        "luminance": {"weights": LUMINANCE, "bits": LUMINANCE_BITS},
    }


def constants(*modules: ModuleType) -> dict[str, Any]:
    """The numbers, and tuples and tables of numbers, that modules name in capitals.

    >>> constants(block_grid)["blockPx"] == block_grid.BLOCK_PX
    True
    """
    found = {name: value for module in modules for name, value in vars(module).items() if name.isupper()}
    return {_camel(name): value for name, value in found.items() if _is_numeric(value)}


def _camel(name: str) -> str:
    first, *rest = name.lower().split("_")
    return first + "".join(word.capitalize() for word in rest)


def _is_numeric(value: object) -> bool:
    if isinstance(value, dict):
        return all(map(_is_numeric, value.values()))
    if isinstance(value, tuple):
        return all(map(_is_numeric, value))
    return isinstance(value, int | float)


def _app(name: str | None, language: Language | None, trusted: tuple[PublicKey, ...]) -> dict[str, Any]:
    keys = [{"name": key.name, "hint": key.hint, "der": base64.b64encode(key.der).decode()} for key in trusted]
    return {"name": name, "language": language, "version": VERSION, "trustedKeys": keys}


def _messages() -> list[str]:
    places = {f"osteo_edge/{module}.py" for module in SPEAKING}
    return [message.text for message in find_messages() if places & set(message.places)]


def _wording() -> dict[str, Any]:
    return {
        "headlines": {"density": wording.HEADLINES, "abnormality": wording.ABNORMALITY_HEADLINES},
        "advice": {"density": wording.ADVICE, "abnormality": wording.ABNORMALITY_ADVICE},
        "severities": wording.SEVERITIES,
        "noClinicalStage": wording.NO_CLINICAL_STAGE,
        "failedCheck": wording.FAILED_CHECK,
        "phantomUse": wording.PHANTOM_USE,
        "comparisonUse": wording.COMPARISON_USE,
    }


def _knee_template() -> dict[str, Any]:
    template = knee_template.load_template()
    patches = {field.name: getattr(template, field.name) for field in fields(template)}
    return {name: {"shape": patch.shape, "data": _base64(patch.astype("<f4"))} for name, patch in patches.items()}


def _overlay() -> dict[str, Any]:
    maps = {name: _base64(colours_of(name)[:, ::-1]) for name in overlay.COLOUR_MAPS}
    return {
        "opacity": overlay.OPACITY,
        "maxSidePx": overlay.MAX_SIDE_PX,
        "evidenceSidePx": evidence.MAX_EVIDENCE_SIDE_PX,
        "noRegion": overlay.NO_REGION,
        "colourMaps": maps,
    }


def _vault() -> dict[str, Any]:
    """The format of an encrypted history, and what is said of its PIN and its recovery code."""
    return {
        **constants(vault),
        "pageBytes": encrypted.PAGE_BYTES,
        "plainDatabase": encrypted.PLAIN.decode(),
        "mark": vault.MARK.decode(),
        "info": {purpose: vault.INFO.format(purpose=purpose) for purpose in ("database", "images", "names")},
        "about": {kind: vault.ABOUT.format(kind=kind) for kind in get_args(vault.Kind)},
        "locked": backup_contents.LOCKED,
        "wrongSecret": backup_contents.WRONG_SECRET,
        "noMemory": vault.NO_MEMORY,
    }


def _transfer_syntaxes() -> dict[str, str]:
    """What DICOM calls each compression, by its UID; none where pydicom, which knows them, is not installed."""
    try:
        from pydicom.uid import AllTransferSyntaxes
    except ImportError:
        return {}
    return {str(uid): str(uid.name) for uid in AllTransferSyntaxes}


def _base64(values: np.ndarray[Any, Any]) -> str:
    return base64.b64encode(np.ascontiguousarray(values).tobytes()).decode()


def _json(value: object) -> bytes:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return f"{text}\n".encode()
