"""A bill of materials: what a wheel, a kit or a bundle is made of, as CycloneDX 1.6 in JSON.

Written here, and validated in the tests against the schema that CycloneDX publishes: its own library for Python has no
model cards (version 11.12), and a model is what this is about.
"""

import json
import re
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final

from osteo_edge.errors import OsteoEdgeError
from osteo_edge.lock_file import Pin, plain
from osteo_edge.source_date import made_at
from osteo_edge.version import VERSION

Component = dict[str, Any]
"""One `component` of CycloneDX."""
SCHEMA: Final = "http://cyclonedx.org/schema/bom-1.6.schema.json"
NAMESPACE: Final = uuid.uuid5(uuid.NAMESPACE_DNS, "osteo-edge")
UNKNOWN_LICENCE: Final = "unknown"
SHORT: Final = 100
"""Letters of a licence's name; some packages write its whole text where the name belongs."""
OURS: Final = "osteo-edge:"


def to_json(subject: Component, components: Sequence[Component], depends: Mapping[str, Sequence[str]]) -> bytes:
    """The document about `subject`; `depends` says by `bom-ref` what needs what.

    Its serial number is made from its content, and its time is SOURCE_DATE_EPOCH where that is set: then the same thing
    gives the same bytes. `OsteoEdgeError` for a name or a text that holds half a character, which no file can.
    """
    parts = sorted(components, key=lambda component: component["bom-ref"])
    content = {
        "component": subject,
        "components": parts,
        "dependencies": [{"ref": ref, "dependsOn": sorted(set(needed))} for ref, needed in sorted(depends.items())],
    }
    serial = uuid.uuid5(NAMESPACE, json.dumps(content, sort_keys=True))
    document = {
        "$schema": SCHEMA,
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        "metadata": {
            "timestamp": made_at().isoformat(timespec="seconds"),
            "lifecycles": [{"phase": "post-build"}],
            "tools": {"components": [{"type": "application", "name": "osteo-edge", "version": VERSION}]},
            "component": subject,
        },
        "components": parts,
        "dependencies": content["dependencies"],
    }
    text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        around = ascii(text[max(0, error.start - 20) : error.end + 20])
        raise OsteoEdgeError(
            f"no bill of materials can be written of {subject['name']!a}: half a character (a lone surrogate) stands "
            f"in {around}; make the thing again without it"
        ) from error


def package(
    name: str, version: str | None, *, licence: list[dict[str, Any]] | None = None, pins: Sequence[Pin] = ()
) -> Component:
    """A package of Python; with the hashes of its files, of which one is installed, where pins are of that version."""
    purl = f"pkg:pypi/{plain(name)}" + (f"@{version}" if version else "")
    made: Component = {"type": "library", "bom-ref": purl, "name": plain(name), "purl": purl}
    if version:
        made["version"] = version
    if licence:
        made["licenses"] = licence
    digests = sorted(
        {digest for pin in pins if (pin.name, pin.version) == (plain(name), version) for digest in pin.sha256s}
    )
    if digests:
        address = f"https://pypi.org/project/{plain(name)}/{version}/#files"
        comment = "one of these files is installed, according to Python and processor"
        made["externalReferences"] = [
            {"type": "distribution", "url": address, "comment": comment, "hashes": list(map(sha256, digests))}
        ]
    return made


def stored_file(name: str, digest: str) -> Component:
    """A file by its name inside what the document is about; `digest` is its SHA-256 in hex."""
    return {"type": "file", "bom-ref": f"file:{name}", "name": name, "hashes": [sha256(digest)]}


def program(name: str, version: str, purl: str, digest: str, licence: list[dict[str, Any]]) -> Component:
    """What is run, as a whole; `digest` is the SHA-256 of the file that it comes in."""
    return {
        "type": "application",
        "bom-ref": purl,
        "name": name,
        "version": version,
        "purl": purl,
        "hashes": [sha256(digest)],
        "licenses": licence,
    }


def licence_of(about: Mapping[str, Any], classifiers: Sequence[str] = ()) -> list[dict[str, Any]]:
    """The licence that a package's metadata states (PEP 639, or the fields from before it), or that it states none.

    >>> licence_of({"License-Expression": "MIT OR Apache-2.0"})
    [{'expression': 'MIT OR Apache-2.0'}]
    >>> licence_of({})
    [{'license': {'name': 'unknown'}}]
    """
    expression = about.get("License-Expression")
    if expression:
        return [{"expression": str(expression)}]
    stated = str(about.get("License") or "").strip()
    if re.fullmatch(rf"[^\n]{{1,{SHORT}}}", stated):
        return [{"license": {"name": stated}}]
    named = [line.rpartition(" :: ")[2] for line in classifiers if line.startswith("License :: ")]
    return [{"license": {"name": name}} for name in named or [UNKNOWN_LICENCE]]


def sha256(digest: str) -> dict[str, str]:
    """A SHA-256 as CycloneDX has it."""
    return {"alg": "SHA-256", "content": digest}


def properties(values: Mapping[str, object]) -> list[dict[str, str]]:
    """What CycloneDX has no field for, under names of our own."""
    return [{"name": f"{OURS}{name}", "value": str(value)} for name, value in values.items()]
