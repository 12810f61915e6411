"""Fixtures that every tier shares."""

import os
import random
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings
from swiftlet_trainer.threads import share_cores

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# As in every pod, and before torch is imported: other tests run beside, and waiting threads would burn their cores.
share_cores()
# A pool of compiling processes imports torch in each of them, for a few files.
os.environ.setdefault("TORCHINDUCTOR_COMPILE_THREADS", "1")

# A busy machine is no finding: examples may take as long as they take. The same code meets the same examples, so that
# what fails fails for everybody; HYPOTHESIS_PROFILE=searching looks for others.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
settings.register_profile("searching", settings.get_profile("patient"), derandomize=False)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "patient"))

REPOSITORY = Path(__file__).parent.parent


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Of `--dist loadfile`; of xdist, which is not asked for where one worker does everything."""
    if config.getoption("dist") != "loadfile":
        return None
    from .workers import ComputingBesideWaiting

    return ComputingBesideWaiting(config, log)


PORTS = range(10000, 20000)
"""Below those that the kernel gives to whoever asks for any, and beside those of the test bed."""
WORKERS = 32


@pytest.fixture(scope="session")
def free_port() -> Callable[[], int]:
    """Gives out loopback TCP ports that nothing listens on, each once; what starts late still finds its port free."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    ours = PORTS[worker % WORKERS :: WORKERS]
    ports = iter(random.sample(ours, len(ours)))

    def next_free() -> int:
        for port in ports:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) != 0:
                    return port
        raise RuntimeError(f"no free port is left in {ours}")

    return next_free


@pytest.fixture(scope="session")
def smollm2() -> Path:
    """Folder of SmolLM2-135M-Instruct in safetensors, converted on first use into the cache outside the checkout."""
    done = subprocess.run(
        [sys.executable, "-m", "swiftlet_trainer.models.smollm2"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.strip().splitlines()[-1])


@pytest.fixture(scope="session")
def browser() -> "Iterator[Browser]":
    """Chromium. Without it the tests are skipped with what to do, and fail under CI."""
    from testbed.errors import MissingProgramError
    from testbed.pages import chromium

    try:
        with chromium() as running:
            yield running
    except MissingProgramError as error:
        if os.environ.get("CI"):
            pytest.fail(str(error))
        pytest.skip(str(error))
