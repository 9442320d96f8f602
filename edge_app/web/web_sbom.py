"""The bill of materials of a packed web app: the npm packages in its page, and the model."""

import base64
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from osteo_edge.edge_app.web.building import NpmPackage
from osteo_edge.hashing import sha256_bytes
from osteo_edge.manifest import Manifest
from osteo_edge.sbom import Component, sha256, stored_file, to_json
from osteo_edge.sbom_model import model_component
from osteo_edge.version import VERSION


def web_sbom(manifest: Manifest, packages: Sequence[NpmPackage], files: Mapping[str, bytes]) -> bytes:
    """The document about an app that consists of these files."""
    digests = {name: sha256_bytes(content) for name, content in files.items()}
    all_of_them = sha256_bytes("".join(f"{digest}  {name}\n" for name, digest in sorted(digests.items())).encode())
    subject: Component = {
        "type": "application",
        "bom-ref": f"web:{all_of_them}",
        "name": "osteo-edge-web",
        "version": VERSION,
        "description": f"for a browser, with the model {manifest.name} {manifest.version}; "
        "the hash is that of the list of its files with their SHA-256",
        "hashes": [sha256(all_of_them)],
        "licenses": [{"license": {"name": "Apache-2.0"}}],
    }
    model = model_component(manifest)
    libraries = [_component(package) for package in packages]
    stored = [stored_file(name, digest) for name, digest in digests.items()]
    depends = {subject["bom-ref"]: [model["bom-ref"], *(library["bom-ref"] for library in libraries)]}
    return to_json(subject, [model, *libraries, *stored], depends)


def _component(package: NpmPackage) -> Component:
    purl = f"pkg:npm/{quote(package.name, safe='/')}@{package.version}"
    return {
        "type": "library",
        "bom-ref": purl,
        "name": package.name,
        "version": package.version,
        "purl": purl,
        "hashes": [{"alg": "SHA-512", "content": base64.b64decode(package.sha512).hex()}],
        "licenses": [{"license": {"name": package.licence}}],
    }
