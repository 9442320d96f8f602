"""A kit of nothing but archives, as the tests and the fuzzer of unpacking make them."""

from pathlib import Path

from osteo_edge.edge_app.pi.kit import Contents, Kit, KitFile, KnownAnswer


def bare_kit(folder: Path, *names: str, installed_bytes: int) -> Kit:
    """A kit for Python 3.11 in a folder, of these archives, which are to take so many bytes once they are unpacked."""
    contents = Contents(
        schema=1,
        version="1.0.0",
        made_at="2026-11-21T10:00:00+00:00",
        made_by="test",
        bundle="knee 1",
        model_sha256="0" * 64,
        machine="aarch64",
        glibc="2.17",
        packages={"3.11": names},
        installed_bytes={"3.11": installed_bytes},
        known_answer=KnownAnswer(0.5, 0.1, "LiteRT"),
        files={name: KitFile("0" * 64, 1) for name in names},
    )
    return Kit(folder, contents, "0" * 64)
