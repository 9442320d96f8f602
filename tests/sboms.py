"""What tests ask of a bill of materials: that CycloneDX's own schema takes it, and what stands in it."""

import json
from importlib import import_module
from importlib.util import find_spec
from typing import Any

Document = dict[str, Any]


def require_valid(document: Document) -> None:
    """Look at the references, and validate by the schema that CycloneDX publishes, where its library is installed."""
    refs = [document["metadata"]["component"]["bom-ref"], *(part["bom-ref"] for part in document["components"])]
    assert len(set(refs)) == len(refs)
    assert {ref for one in document["dependencies"] for ref in (one["ref"], *one["dependsOn"])} <= set(refs)
    if find_spec("cyclonedx") is not None:
        version = import_module("cyclonedx.schema").SchemaVersion.V1_6
        validator = import_module("cyclonedx.validation.json").JsonStrictValidator(version)
        assert validator.validate_str(json.dumps(document)) is None


def parts_of(document: Document, kind: str) -> dict[str, Document]:
    """The components of a kind by their names."""
    return {part["name"]: part for part in document["components"] if part["type"] == kind}


def value_of(part: Document, name: str) -> str:
    """A property of our own."""
    return next(str(one["value"]) for one in part["properties"] if one["name"] == f"osteo-edge:{name}")
