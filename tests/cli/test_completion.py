"""A TAB in a real bash."""

import os
import subprocess
import sys
from pathlib import Path

PRESS = """\
source <(swiftlet completion bash)
COMP_LINE='swiftlet describe finetunejob/b' COMP_WORDBREAKS=' ' COMP_TYPE=9
COMP_POINT=${#COMP_LINE}
_python_argcomplete swiftlet
echo "${COMPREPLY[*]}"
"""


def test_bash_is_told_the_names_of_the_state_folder(failed_state: Path) -> None:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "SWIFTLET_STATE": str(failed_state)}
    done = subprocess.run(
        ["bash", "-c", PRESS], env=environment, capture_output=True, text=True, check=True, timeout=300
    )
    assert (done.stdout.strip(), done.stderr) == ("finetunejob/bird", "")
