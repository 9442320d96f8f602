"""What a server says of the web app's files beside their content: what the page may do, and how long they are kept.

The page says the most important of it itself, in `index.html`; its service worker says all of it from then on.
"""

import gzip
import re
from typing import Final

HASHED: Final = "assets/"
"""Files below it have a hash or a version in their names, and never change."""
KEPT: Final = "public, max-age=31536000, immutable"
ASKED_FOR: Final = "no-cache"
TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".md": "text/markdown; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
}
COMPRESSED: Final = (".css", ".html", ".js", ".json", ".md", ".svg", ".tflite", ".txt", ".wasm", ".webmanifest")
"""What becomes smaller by gzip, the weights of a model by a fifth."""
LEVEL: Final = 6
BINARY: Final = "application/octet-stream"
_POLICY: Final = re.compile(rb'http-equiv="Content-Security-Policy"\s+content="([^"]+)"')
_FIXED: Final = {
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def security_headers(index_html: bytes) -> dict[str, str]:
    """The headers of every file: the page's own policy, which no other page may frame, and what goes with it."""
    policy = _POLICY.search(index_html)
    if policy is None:
        raise ValueError("the page states no Content-Security-Policy")
    return {"Content-Security-Policy": f"{policy[1].decode()}; frame-ancestors 'none'", **_FIXED}


def caching(name: str) -> str:
    """How long a file may be kept, by its name relative to the app.

    >>> caching("assets/index-D4lgHF6X.js"), caching("index.html")
    ('public, max-age=31536000, immutable', 'no-cache')
    """
    return KEPT if name.startswith(HASHED) else ASKED_FOR


def type_of(name: str) -> str:
    """A file's media type, by its name; one that is not known is to be taken as it is, and never guessed."""
    return TYPES.get(f".{name.rpartition('.')[2]}", BINARY)


def headers_file(headers: dict[str, str]) -> bytes:
    """The same for hosts of static files that read a file `_headers`."""
    stated = {"/*": {**headers, "Cache-Control": ASKED_FOR}, f"/{HASHED}*": {"Cache-Control": KEPT}}
    lines = [line for path, each in stated.items() for line in (path, *(f"  {name}: {each[name]}" for name in each))]
    return ("\n".join(lines) + "\n").encode()


def compressed(name: str, content: bytes) -> bytes | None:
    """A file as it is sent to whoever takes gzip; None for one that would gain nothing."""
    return gzip.compress(content, LEVEL, mtime=0) if name.endswith(COMPRESSED) else None
