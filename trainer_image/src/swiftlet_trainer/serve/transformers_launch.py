"""The transformers engine as a process."""

import os
import re
import sys

from swiftlet_trainer.serve.engine import EngineProcess

PHASES = ((re.compile("^loading weights$"), "loading weights"), (re.compile("^starting the API$"), "starting the API"))


def transformers_process(job_path: str, host: str, pools: bool = False) -> EngineProcess:
    """The engine serving the document at `job_path`, on `host`. It reads the API key from its file itself. pools: see
    EngineProcess."""
    module = "swiftlet_trainer.serve.transformers_process"
    return EngineProcess(
        name="transformers",
        command=[sys.executable, "-m", module, "--parent", str(os.getpid()), host, job_path],
        env={"PYTHONUNBUFFERED": "1", "HF_HUB_OFFLINE": "1"},
        phases=PHASES,
        pools=pools,
    )
