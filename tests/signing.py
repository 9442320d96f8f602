"""A key that signs bundles, made by the program's own commands."""

from dataclasses import dataclass
from pathlib import Path

from osteo_edge.bundle import Bundle
from osteo_edge.cli import run
from osteo_edge.signature import PublicKey, read_public_key


@dataclass(frozen=True)
class Signer:
    """The two files of a key."""

    private: Path
    public: Path

    @property
    def public_key(self) -> PublicKey:
        return read_public_key(self.public)

    def sign(self, bundle: Bundle) -> None:
        assert run(["sign", str(bundle.path), "--key", str(self.private)]) == 0


def make_signer(folder: Path, name: str) -> Signer:
    signer = Signer(folder / f"{name}.key", folder / f"{name}.pub")
    assert run(["signing-key", str(signer.private), "--no-passphrase"]) == 0
    return signer
