"""Progress bars of the libraries, in a process whose stderr is a file."""

import os
import subprocess
import sys

import pytest
from swiftlet_trainer.bars import VARIABLES

BARS = """
import sys
from swiftlet_trainer.bars import no_bars_in_logs
if sys.argv[1] == "quiet":
    no_bars_in_logs()
from huggingface_hub.utils import tqdm as of_the_hub
from transformers.utils.logging import tqdm as of_transformers
from tqdm.auto import tqdm
for bar in (of_the_hub, of_transformers, tqdm):
    list(bar(range(3), desc="weights"))
"""


@pytest.mark.parametrize(("mode", "bars"), [("loud", True), ("quiet", False)])
def test_bars_do_not_reach_a_log(mode: str, bars: bool) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    command = [sys.executable, "-c", BARS, mode]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=120)
    assert ("weights" in done.stderr) == bars
