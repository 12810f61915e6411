"""The only training process of a run: it has nobody to meet, so torchrun, seconds of imports, is left out."""

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from swiftlet.api.v1alpha1.finetunejob_status import Failure

from swiftlet_trainer.parallel.ending import described
from swiftlet_trainer.parallel.environment import WORKER
from swiftlet_trainer.parallel.errors import ERROR_FILE_VARIABLE
from swiftlet_trainer.parallel.stop_signals import passed_on


def run_alone(job_path: str) -> Failure | None:
    """Run it to its end. None when it succeeded."""
    with TemporaryDirectory() as folder, passed_on() as come:
        error = Path(folder) / "error.json"
        command = [sys.executable, "-u", "-m", WORKER, "--job", job_path]
        with subprocess.Popen(command, env={**os.environ, ERROR_FILE_VARIABLE: str(error)}) as process:
            for number in come:  # while it was being started
                process.send_signal(number)
        code = process.returncode
        return described(code, error.read_text() if error.exists() else None, rank=0) if code else None
