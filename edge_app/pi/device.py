"""Whether a kit is for a device: its processor, its Python, its C library."""

from osteo_edge.device import SIXTY_FOUR, Device
from osteo_edge.edge_app.pi.kit import Contents, KitError


def require_fit(contents: Contents, device: Device) -> None:
    """Raise `KitError` if what is in the kit cannot run on the device."""
    if device.machine != contents.machine:
        raise KitError(f"the kit is for {contents.machine}, and this is {device.machine}: make one for this machine")
    if device.bits != SIXTY_FOUR:
        raise KitError("this system is a 32-bit one, which the packages do not exist for: install the 64-bit system")
    if device.python not in contents.packages:
        raise KitError(f"the kit is for Python {words(contents)}, and this is {device.python}: make one with --python")
    if device.glibc is None or _numbers(device.glibc) < _numbers(contents.glibc):
        raise KitError(
            f"the kit needs glibc {contents.glibc}, and this system has {device.glibc or 'none'}: "
            "install Raspberry Pi OS 12 or newer"
        )


def words(contents: Contents) -> str:
    """The versions of Python that a kit is for, as "3.11 or 3.13"."""
    return " or ".join(sorted(contents.packages, key=_numbers))


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in version.split(".") if number.isdigit())
