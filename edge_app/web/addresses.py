"""By which addresses and names other devices reach this machine."""

import fcntl
import ipaddress
import socket
import struct
from contextlib import suppress
from typing import Final

GET_ADDRESS: Final = 0x8915
"""SIOCGIFADDR of Linux: an interface's IPv4 address."""
NAME_BYTES: Final = 16
REQUEST_BYTES: Final = 40
ELSEWHERE: Final = ("192.0.2.1", 9)
"""Documentation's own network (RFC 5737): nothing is ever sent there, but the system says how it would be."""


def network_addresses() -> tuple[str, ...]:
    """The IPv4 addresses of this machine that others may reach, the one towards the default route first."""
    found = dict.fromkeys((*_towards_elsewhere(), *_of_interfaces()))
    return tuple(address for address in found if not ipaddress.ip_address(address).is_loopback)


def host_names() -> tuple[str, ...]:
    """The names of this machine, in ASCII: its own, and that by which it announces itself nearby (RFC 6762)."""
    name = socket.gethostname().strip(".").lower()
    plain = name.partition(".")[0]
    names = (name, f"{plain}.local" if plain and plain != "localhost" else "")
    return tuple(dict.fromkeys(one for one in names if one and one.isascii() and one != "localhost"))


def _towards_elsewhere() -> list[str]:
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(ELSEWHERE)
        return [str(probe.getsockname()[0])]
    return []


def _of_interfaces() -> list[str]:
    found = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        for _, name in socket.if_nameindex():
            request = struct.pack(f"{REQUEST_BYTES}s", name.encode()[: NAME_BYTES - 1])
            with suppress(OSError):  # an interface without an address
                answer = fcntl.ioctl(probe.fileno(), GET_ADDRESS, request)
                found.append(socket.inet_ntoa(answer[20:24]))
    return found
