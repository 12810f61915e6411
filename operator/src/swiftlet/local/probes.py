"""Startup, readiness and liveness probes. Source: Kubernetes core/v1 Probe."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

Check = Callable[[], Awaitable[str | None]]
"""None when all is well, else what is wrong."""
Execute = Callable[[list[str], float], Awaitable[int | None]]
"""Runs a command in the container; its exit code, None when it took longer than the seconds given."""

SAID, SAYING_SECONDS = 2048, 0.3
"""How much of a bad answer is read, in bytes, and how long it may pause."""
PROBES = ("startupProbe", "livenessProbe", "readinessProbe")


@dataclass(frozen=True)
class Tally:
    """Successes or failures in a row."""

    ok: bool | None = None
    """Whether the probe's thresholds are met for success or failure; None before either is."""
    successes: int = 0
    failures: int = 0


def counted(tally: Tally, success: bool, probe: dict[str, Any]) -> Tally:
    """The tally after one more result; `ok` changes only when successThreshold or failureThreshold is reached."""
    successes = tally.successes + 1 if success else 0
    failures = 0 if success else tally.failures + 1
    ok = tally.ok
    if successes >= probe.get("successThreshold", 1):
        ok = True
    if failures >= probe.get("failureThreshold", 3):
        ok = False
    return Tally(ok, successes, failures)


async def check(probe: dict[str, Any], container: dict[str, Any], execute: Execute) -> str | None:
    """Run a probe once; None for success, else what went wrong."""
    seconds = float(probe.get("timeoutSeconds", 1))
    if "exec" in probe:
        code = await execute(probe["exec"]["command"], seconds)
        if code is None:
            return f"command took longer than {seconds:g} s"
        return None if code == 0 else f"command ended with exit code {code}"
    action = probe.get("httpGet") or probe["tcpSocket"]
    host, port = action.get("host") or "127.0.0.1", port_number(action["port"], container)
    talk = _http(action, host, port) if "httpGet" in probe else _connect(host, port)
    try:
        async with asyncio.timeout(seconds):
            return await talk
    except TimeoutError:
        return f"no answer from {host}:{port} within {seconds:g} s"
    except OSError as error:
        return f"{host}:{port}: {error.strerror or error}"


def port_number(port: int | str, container: dict[str, Any]) -> int:
    """A port, which may be named as in the container's ports. Raises ValueError for an unknown name."""
    if isinstance(port, int):
        return port
    for entry in container.get("ports") or []:
        if entry.get("name") == port:
            return int(entry["containerPort"])
    if port.isdigit():
        return int(port)
    raise ValueError(f"probe names port {port}, which the container does not have")


async def _connect(host: str, port: int) -> None:
    _, writer = await asyncio.open_connection(host, port)
    writer.close()


async def _http(action: dict[str, Any], host: str, port: int) -> str | None:
    path = action.get("path") or "/"
    reader, writer = await asyncio.open_connection(host, port)
    try:
        given = {header["name"]: header["value"] for header in action.get("httpHeaders") or []}
        headers = {"Host": f"{host}:{port}", "User-Agent": "swiftlet-probe", "Connection": "close", **given}
        lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
        writer.write("\r\n".join(lines).encode())
        status = (await reader.readline()).split()
        code = int(status[1]) if len(status) > 1 and status[1].isdigit() else 0
        if 200 <= code < 400:
            return None
        body = (await _beginning(reader)).partition(b"\r\n\r\n")[2]
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
    words = body.decode(errors="replace").strip().splitlines()
    return f"GET {path} answered {code or 'nothing'}" + (f": {words[0][:200]}" if words else "")


async def _beginning(reader: asyncio.StreamReader) -> bytes:
    """What else comes, which may be in several packets; a server that leaves the connection open is not waited for."""
    said = b""
    with suppress(TimeoutError):
        while len(said) < SAID:
            async with asyncio.timeout(SAYING_SECONDS):
                piece = await reader.read(SAID)
            if not piece:
                break
            said += piece
    return said
