import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from swiftlet.wire.messages import EXIT_TERMINATED
from swiftlet_trainer.__main__ import VERBS, main


def test_help_has_verbs_examples_and_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    assert all(verb in text for verb in VERBS) and "examples:" in text and "exit codes:" in text


def test_unknown_verb(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["fly"])
    assert caught.value.code == 2 and "invalid choice: 'fly'" in capsys.readouterr().err


def test_help_imports_nothing_heavy() -> None:
    program = (
        "import sys, swiftlet_trainer.__main__ as main; main.arguments();"
        "print(sorted({'torch', 'datasets', 'transformers'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_sigterm_is_heard_from_the_first_moment_on(tmp_path: Path) -> None:
    """The kernel keeps it from a container's first process, which this one is not, where nobody listens."""
    command = [sys.executable, "-m", "swiftlet_trainer", "prepare", "--job", str(tmp_path / "job.json")]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        while not _listens_to(process.pid, signal.SIGTERM):
            assert process.poll() is None, "it ended before it listened"
            time.sleep(0.001)
        process.send_signal(signal.SIGTERM)
    assert process.returncode == EXIT_TERMINATED


def _listens_to(pid: int, number: int) -> bool:
    (caught,) = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("SigCgt")]
    return bool(int(caught.split()[1], 16) >> (number - 1) & 1)
