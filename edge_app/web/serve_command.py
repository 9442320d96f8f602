"""`osteo-edge serve`: the packed web app for the phones on the clinic's network."""

import ipaddress
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import click

from osteo_edge.console import show_json
from osteo_edge.data_folder import default_data_folder
from osteo_edge.edge_app.served_address import ServedAddress, noted
from osteo_edge.edge_app.web.addresses import host_names, network_addresses
from osteo_edge.errors import MissingExtraError, OsteoEdgeError

if TYPE_CHECKING:
    from osteo_edge.edge_app.web.certificate import Certificate
    from osteo_edge.edge_app.web.serving import WebServer

PORT: Final = 8443
ANYWHERE: Final = "0.0.0.0"
ANYWHERE_IPV6: Final = "::"
"""Linux listens to IPv4 there as well, unless it is told otherwise (ipv6(7))."""
AUTHORITY: Final = "ca.crt"


@dataclass(frozen=True)
class Served:
    """What is served, and where: `addresses` are what a browser is given, the most likely one first.

    `authority` is where phones get the certificate to trust, None where there is none of ours.
    """

    app: str
    bundle: str
    addresses: tuple[str, ...]
    tls: bool
    authority: str | None
    authority_sha256: str | None


@click.command("serve", short_help="Serve the web app on the clinic's network.")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--port", type=click.IntRange(0, 65535), default=PORT, show_default=True, help="0: any that is free.")
@click.option(
    "--host",
    default=ANYWHERE,
    show_default=True,
    help="The address to listen at; 127.0.0.1 is for this machine alone.",
)
@click.option("--tls", is_flag=True, help="Use https, with a certificate that is made here; phones must trust it once.")
@click.option(
    "--certificate",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Use https, with this certificate in PEM (the chain included). Goes with --key.",
)
@click.option("--key", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="The certificate's key.")
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where --tls keeps its keys, and the app's window looks for the address: the --data of `osteo-edge app` "
    "[default: the user's data folder, osteo-edge in it].",
)
@click.option("--json", "as_json", is_flag=True, help="Print what is served as JSON, when it is ready.")
def serve(
    folder: Path,
    port: int,
    host: str,
    tls: bool,
    certificate: Path | None,
    key: Path | None,
    data: Path | None,
    as_json: bool,
) -> None:
    """Serve the web app that `osteo-edge package web` wrote to DIR, until Ctrl-C. Films never reach this machine.

    Every file is verified and read at the start; what changes in DIR after that is served after the next one. Nothing
    else is served, and nothing can be sent here.

    Browsers keep an app for use without a network only from an https address, or from this machine itself. With --tls
    a certificate is made for the names and addresses of this machine, in the data folder; each phone must be told once
    to trust it, which the lines at the start explain. With --certificate and --key your own are used.

    The QR code of the address stands here and, as long as this runs, in the settings of the app on this machine.

    \b
    Example:
      osteo-edge serve web --tls
      osteo-edge serve web --host 127.0.0.1 --port 8080
      osteo-edge serve web --certificate clinic.crt --key clinic.key --port 443
    """
    if not host:
        raise click.UsageError("--host is empty: leave it out, or give an address that this machine has")
    if (certificate is None) != (key is None):
        raise click.UsageError("--certificate and --key go together")
    if tls and certificate is not None:
        raise click.UsageError("--tls makes a certificate, and --certificate brings one: choose one of the two")
    if not as_json and find_spec("segno") is None:
        raise MissingExtraError("serving the web app", "segno", "web")
    from osteo_edge.edge_app.web.certificate import own_certificate, tls_context
    from osteo_edge.edge_app.web.packed import read_packed
    from osteo_edge.edge_app.web.serving import open_server, read_site

    bundle = read_packed(folder).bundle
    data_folder = (data or default_data_folder()).absolute()
    names, numbers = _reachable_by(host)
    own = own_certificate(data_folder, names, numbers) if tls else None
    if own is not None:
        certificate, key = own.certificate, own.key
    context = None if certificate is None or key is None else tls_context(certificate, key)
    site = read_site(folder, None if own is None else own.authority)
    with open_server(host, port, site, context) as server:
        served = _served(folder, bundle, server, own, [*numbers, *names], is_tls=context is not None)
        with _shown_in_app(served, data_folder) as problem:
            if problem is not None:
                click.echo(f"{data_folder}: the app will not show this address ({problem})", err=True)
            with _asked_to_end() as asked:  # before the address is told: whoever reads it may end it at once
                if as_json:
                    show_json(asdict(served), indent=None)
                else:
                    _tell(served)
                _serve_until(asked, server)
    if not as_json:
        click.echo("ended as asked")


def _reachable_by(host: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names and the addresses under which the app will be found; `OsteoEdgeError` where there is no network."""
    if host not in (ANYWHERE, ANYWHERE_IPV6):
        with suppress(ValueError):
            return (), (str(ipaddress.ip_address(host)),)
        return (host,), ()
    numbers = network_addresses()
    if not numbers:
        raise OsteoEdgeError("this machine is in no network; connect it, or serve for it alone with --host 127.0.0.1")
    return host_names(), numbers


def _served(
    folder: Path, bundle: str, server: "WebServer", own: "Certificate | None", hosts: Sequence[str], *, is_tls: bool
) -> Served:
    scheme, usual = ("https", 443) if is_tls else ("http", 80)
    port = "" if server.server_port == usual else f":{server.server_port}"
    addresses = tuple(f"{scheme}://{f'[{host}]' if ':' in host else host}{port}/" for host in hosts)
    authority = None if own is None else f"{addresses[0]}{AUTHORITY}"
    return Served(str(folder), bundle, addresses, is_tls, authority, None if own is None else own.fingerprint)


def _shown_in_app(served: Served, data_folder: Path) -> AbstractContextManager[str | None]:
    """Show a phone's way here in the app's window, if there is one; gives why that cannot be, or None."""
    first = served.addresses[0]
    if _is_own(first):
        return nullcontext()
    return noted(data_folder, ServedAddress(first, served.authority, served.authority_sha256))


def _tell(served: Served) -> None:
    first, *others = served.addresses
    click.echo(_qr_code(first))
    click.echo(f"{served.app}: {served.bundle}, at {first}")
    if others:
        click.echo(f"  also at {', '.join(others)}")
    if served.authority is not None:
        click.echo(f"On each phone, once: open {served.authority} and install it as a CA certificate. Its SHA-256 is")
        click.echo(f"  {served.authority_sha256}")
    if not served.tls and not _is_own(first):
        click.echo("Without https no browser keeps the app for use without a network: add --tls.")
    click.echo("Ctrl-C ends it.")


def _qr_code(address: str) -> str:
    """The address for a phone's camera, two rows of the code in one of the terminal."""
    import io

    import segno

    drawn = io.StringIO()
    segno.make(address, error="m", micro=False).terminal(out=drawn, border=2, compact=True)
    return drawn.getvalue()


def _is_own(address: str) -> bool:
    """Whether it is for this machine alone."""
    host = urlsplit(address).hostname or ""
    return host in ("localhost", "::1") or host.startswith("127.")


def _serve_until(asked: threading.Event, server: "WebServer") -> None:
    """Serve until it is asked to end, and end then at once, whatever is being sent."""
    threading.Thread(target=server.serve_forever, name="web server", daemon=True).start()
    asked.wait()


@contextmanager
def _asked_to_end() -> Iterator[threading.Event]:
    """Is set by Ctrl-C or SIGTERM, which end nothing else while the block runs."""
    asked = threading.Event()
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, lambda *_: asked.set()) for number in numbers}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
