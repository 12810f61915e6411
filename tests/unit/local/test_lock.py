"""One engine per state folder."""

import subprocess
import sys
from pathlib import Path

import pytest
from swiftlet.local.lock import StateLock, StateLockedError, lock_holder

HOLD = """
import sys, time
from pathlib import Path
from swiftlet.local.lock import StateLock
with StateLock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_engine_is_refused_with_holder_and_remedy(tmp_path: Path) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None and holder.stdout.readline() == "held\n"
        with pytest.raises(StateLockedError) as refused, StateLock(tmp_path):
            pass
        found = lock_holder(tmp_path)
        assert found is not None and found.pid == holder.pid
        assert str(holder.pid) in str(refused.value) and found.since in str(refused.value)
        assert "--state" in str(refused.value)
    finally:
        holder.kill()
        holder.wait()
    # The kernel lets go of the lock of a killed process.
    with StateLock(tmp_path):
        pass


def test_nobody_holds_a_folder_after_its_engine(tmp_path: Path) -> None:
    assert lock_holder(tmp_path) is None
    with StateLock(tmp_path):
        pass
    assert lock_holder(tmp_path) is None
