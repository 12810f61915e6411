"""How threads that compute wait for each other."""

import os
from collections.abc import MutableMapping

SPINS = "1000"
"""A few microseconds, after which a waiting thread sleeps."""


def share_cores(env: MutableMapping[str, str] = os.environ) -> None:
    """Keep waiting threads from burning the cores that others need. Call before torch is imported.

    GNU OpenMP lets a thread spin for about a millisecond at every barrier. Where other processes or a CPU quota take
    cores away, the thread that is waited for cannot run meanwhile: measured on two shared cores, a token of a 135M
    model took 400 to 1,700 ms instead of 60 to 160. On idle cores the short spin costs nothing measurable. What the
    user set is left alone.
    """
    if "OMP_WAIT_POLICY" not in env:
        env.setdefault("GOMP_SPINCOUNT", SPINS)
