"""Progress bars of the libraries: for terminals only, a log gets the reporter's lines."""

import os
import sys

VARIABLES = ("TQDM_DISABLE", "HF_HUB_DISABLE_PROGRESS_BARS", "HF_DATASETS_DISABLE_PROGRESS_BARS")
"""tqdm's own (what transformers and vLLM leave open), and those of the libraries that ask tqdm for bars themselves."""


def no_bars_in_logs() -> None:
    """Switch bars off where stderr is no terminal, for this process and those that it starts. Before tqdm is
    imported, which reads its variable then; a variable that is set stays."""
    if not sys.stderr.isatty():
        for name in VARIABLES:
            os.environ.setdefault(name, "1")
