"""Who stands for a Debian package: whoever builds it, told as Debian's own tools are told (dch(1))."""

import re
from collections.abc import Mapping
from typing import Final

from osteo_edge.errors import OsteoEdgeError

NAME, ADDRESS = "DEBFULLNAME", "DEBEMAIL"
FIELD: Final = re.compile(r'[^<>,"()\\\x00-\x1f\x7f]*[^<>,"()\\\s] <[^<>@,\s]+@[^<>@,\s.]+(\.[^<>@,\s.]+)+>')
"""One name, without what would have to be quoted, and one address (Debian policy 5.6.2)."""


def find_maintainer(given: str | None, environment: Mapping[str, str]) -> str:
    """The field Maintainer of a package, as "NAME <ADDRESS>": what is given, else DEBFULLNAME and DEBEMAIL.

    DEBEMAIL may hold both. `OsteoEdgeError` if nobody is named, or without an address that mail could reach.

    >>> find_maintainer(None, {"DEBFULLNAME": "Clinic Kigoma", "DEBEMAIL": "it@clinic.example"})
    'Clinic Kigoma <it@clinic.example>'
    """
    named = given or _named_by(environment)
    if not named:
        raise OsteoEdgeError(
            f"a .deb names who made it: give --maintainer 'NAME <ADDRESS>', or set {NAME} and {ADDRESS}"
        )
    if not FIELD.fullmatch(named):
        raise OsteoEdgeError(f"{named!r} is no maintainer of a package; write it like 'Jane Roe <jane@clinic.example>'")
    return named


def _named_by(environment: Mapping[str, str]) -> str:
    name, address = environment.get(NAME, ""), environment.get(ADDRESS, "")
    if not (name and address):
        return address
    return f"{name} <{address.rpartition('<')[2].removesuffix('>')}>"
