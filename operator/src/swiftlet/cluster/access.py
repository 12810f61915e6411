"""An API server and who asks there, however that is known: from a kubeconfig, or of a cluster that we run in."""

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Access:
    """Of one person."""

    where: str
    """What a message begins with: `context prod`."""
    server: str
    """URL without a slash at its end."""
    namespace: str
    tls: ssl.SSLContext | None
    authorization: Callable[[], str | None]
    """The Authorization header as of now: what has expired is asked for anew."""
    server_name: str | None = None
    """The name in the server's certificate, where it is not that of the URL."""
    proxy: str | None = None
    credentials: str = "the credentials of the kubeconfig"
    on_unknown: Callable[[], None] = lambda: None
    """Called when the API server does not accept them (any longer)."""


def authority(file: Path | str | None) -> ssl.SSLContext:
    """Trusts what this authority signs (None: what the machine trusts). Raises OSError."""
    found = ssl.create_default_context(cafile=file)
    # Authorities of clusters seldom carry what Python 3.13 asks of those of the web.
    found.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return found
