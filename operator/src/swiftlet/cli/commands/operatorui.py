"""`swiftlet operator ui`."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from swiftlet.cli import exitcodes
from swiftlet.cli.arguments import add_command, address

if TYPE_CHECKING:
    from swiftlet.cli.arguments import Commands

HOUR = 3600.0
LISTEN = "0.0.0.0:8080"
API_SERVER = "https://kubernetes.default.svc"


def add_parser(actions: "Commands") -> None:
    parser = add_command(
        actions,
        "ui",
        "Serve the page to all who log in to the cluster",
        "Whoever shows a token that the API server knows sees and does what that token may; this process has no rights"
        " and needs none. It stands behind a proxy that ends TLS, or behind `kubectl port-forward`.",
        """swiftlet operator ui --host swiftlet.example.org
        swiftlet operator ui --listen :8410 --api-server https://10.0.0.1:6443 --certificate-authority ca.crt""",
    )
    text = f"where to listen (default: {LISTEN})"
    parser.add_argument("--listen", type=address, default=LISTEN, metavar="HOST:PORT", help=text)
    text = "a name that browsers ask for, without a port; may be repeated. Addresses and localhost are always answered"
    parser.add_argument("--host", action="append", default=[], metavar="NAME", help=text)
    text = f"where people's tokens are shown (default: {API_SERVER})"
    parser.add_argument("--api-server", type=_url, default=API_SERVER, metavar="URL", help=text)
    text = "who signed the API server's certificate, in PEM (default: whom this machine trusts)"
    parser.add_argument("--certificate-authority", type=Path, metavar="FILE", help=text)
    text = "after which a person has to log in anew; a token may end earlier (default: 8)"
    parser.add_argument("--session-hours", type=_hours, default=8.0, metavar="HOURS", help=text)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Serve until SIGTERM."""
    from swiftlet.cli.errors import CommandError
    from swiftlet.cluster.access import authority

    try:
        from swiftlet.cli.ui.server import Address, serve_all
        from swiftlet.cli.ui.sessions import Sessions
    except ModuleNotFoundError as error:
        raise CommandError(
            f"{error.name} is not installed; the page needs: pip install 'swiftlet[page]'", exitcodes.INVALID
        ) from error
    try:
        authority(options.certificate_authority)
    except OSError as error:
        raise CommandError(
            f"--certificate-authority {options.certificate_authority}: {error}; name a file with certificates in PEM"
        ) from error
    sessions = Sessions(options.api_server, options.certificate_authority, options.session_hours * HOUR)
    host, port = options.listen
    serve_all(sessions, options.host, Address(host, port, opens=False))
    return exitcodes.OK


def _url(text: str) -> str:
    """Raises ArgumentTypeError."""
    if text.startswith(("https://", "http://")):
        return text
    raise argparse.ArgumentTypeError(f"{text!r} is no URL, such as {API_SERVER}")


def _hours(text: str) -> float:
    """Raises ArgumentTypeError."""
    try:
        hours = float(text)
    except ValueError:
        hours = 0.0
    if not 0 < hours <= 24 * 7:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of hours above 0, and up to 168 (a week)")
    return hours
