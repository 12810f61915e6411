"""What is told of processes that fail."""

import os

from testbed.training_processes import train_together


def test_processes_that_cannot_begin_say_so_by_their_exit_code(tmp_path: object) -> None:
    codes = train_together("/no/such/job.json", {**os.environ, "SWIFTLET_ROOT": str(tmp_path)})
    assert len(codes) == 2
    assert all(codes)
