"""Runs a module as `python -m` would and samples what it spends processor time on; the shares go to a file at its end.

    python benchmarks/control_plane_profile.py FILE MODULE [ARGUMENT ...]

A timer of the process' own processor time interrupts it every 5 ms, which costs less than 1 %. Calls are not counted;
the shares are true.
"""

import json
import runpy
import signal
import sys
from collections import Counter
from pathlib import Path
from types import FrameType

INTERVAL = 0.005
GROUPS = (
    ("importlib", "start"),
    ("swiftlet/kube/http_client", "requests (aiohttp, TLS)"),
    ("swiftlet/kinds/", "deciding (pydantic, rendering)"),
    ("swiftlet/kube/standing", "comparing with what is stored"),
    ("swiftlet/kube/status_patch", "comparing with what is stored"),
    ("swiftlet/observability/", "metrics and Events"),
    ("swiftlet/kube/", "cache and queue"),
    ("swiftlet/app/", "cache and queue"),
    ("/kopf/", "watches (kopf)"),
    ("/aiohttp/", "requests (aiohttp, TLS)"),
    ("asyncio/sslproto", "requests (aiohttp, TLS)"),
    ("asyncio/", "event loop, TLS and sockets"),
)
"""Part of a file's name, and what work in it is for. The innermost frame that is in one of them decides."""


def group_of(frame: FrameType | None) -> str:
    """What a stack is at work for."""
    while frame is not None:
        file = frame.f_code.co_filename
        for part, group in GROUPS:
            if part in file:
                return group
        frame = frame.f_back
    return "other"


def main() -> None:
    """Run the module."""
    target, module = Path(sys.argv[1]), sys.argv[2]
    samples: Counter[str] = Counter()
    signal.signal(signal.SIGPROF, lambda _, frame: samples.update([group_of(frame)]))
    signal.setitimer(signal.ITIMER_PROF, INTERVAL, INTERVAL)
    sys.argv = [module, *sys.argv[3:]]
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        target.write_text(json.dumps(samples))


if __name__ == "__main__":
    main()
