"""Ask a URL once. A file of its own, standard library only, so that it can also run in another network namespace."""

import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path


def ask(url: str, ca: Path | None = None, prefix: Sequence[str] = ()) -> str:
    """Why a URL does not answer 200; empty when it does. `ca` is a PEM file for https, `prefix` where to ask from."""
    if not prefix:
        return _ask(url, ca)
    command = [*prefix, sys.executable, "-S", "-E", __file__, url, *([str(ca)] if ca else [])]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return ""
    return done.stdout.strip() or done.stderr.strip() or f"the probe ended with code {done.returncode}"


def _ask(url: str, ca: Path | None) -> str:
    context = ssl.create_default_context(cafile=ca) if ca else None
    # Straight to the address: a proxy of the environment is not for loopback.
    straight = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
    )
    try:
        with straight.open(url, timeout=5):
            return ""
    except (OSError, urllib.error.URLError) as error:
        return str(error) or type(error).__name__


if __name__ == "__main__":
    answer = _ask(sys.argv[1], Path(sys.argv[2]) if len(sys.argv) > 2 else None)
    sys.stdout.write(answer)
    sys.exit(bool(answer))
