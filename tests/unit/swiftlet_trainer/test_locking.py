"""Locks that end with their process."""

import subprocess
import sys
from pathlib import Path

from swiftlet_trainer.locking import is_held

HOLDER = """
import sys
from pathlib import Path
from swiftlet_trainer.locking import hold
with hold(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_lock_is_seen_while_its_process_lives_and_after_it_was_killed(tmp_path: Path) -> None:
    file = tmp_path / "run/train.lock"
    assert is_held(file) is None
    command = [sys.executable, "-c", HOLDER, str(file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout and holder.stdout.readline() == "held\n"
        assert is_held(file) is True
        holder.kill()
    assert is_held(file) is False


def test_a_file_that_nobody_has_held_yet_was_never_held(tmp_path: Path) -> None:
    (tmp_path / "lock").touch()
    assert is_held(tmp_path / "lock") is None
