"""transformers without PyTorch, for processes that read tokenizers and configurations and no model."""

import importlib.util
import os
import sys
from importlib.machinery import ModuleSpec

PROGRAM = "swiftlet_trainer.__main__"
ASKED_IN = "transformers.utils.import_utils"
ADVICE_VARIABLE = "TRANSFORMERS_NO_ADVISORY_WARNINGS"
"""Set while it looks, or it would warn on every start that PyTorch is missing."""


def tokenizers_alone() -> None:
    """Have transformers load as it does where PyTorch is not installed: tokenizers, configurations and tables of names
    work, models do not. Call before it is imported; where it is, or PyTorch is, or where the process is another
    program's, which may want models later, nothing changes.

    Its AutoTokenizer imports PyTorch, its compiler and the code that generates: 8 s of a core and 690 MB for a process
    that multiplies nothing; 3 s and 73 MB without (measured on a busy machine). transformers asks once whether PyTorch
    is there, and keeps the answer. Source: transformers.utils.import_utils, is_torch_available.
    """
    program = sys.modules["__main__"].__spec__
    if program is None or program.name != PROGRAM or "torch" in sys.modules or ASKED_IN in sys.modules:
        return
    advised, find_spec = os.environ.get(ADVICE_VARIABLE), importlib.util.find_spec

    def without_torch(name: str, package: str | None = None) -> ModuleSpec | None:
        return None if name == "torch" else find_spec(name, package)

    importlib.util.find_spec = without_torch
    os.environ[ADVICE_VARIABLE] = "1"
    try:
        from transformers.utils.import_utils import is_torch_available

        is_torch_available()
    finally:
        importlib.util.find_spec = find_spec
        os.environ.pop(ADVICE_VARIABLE)
        os.environ.update({ADVICE_VARIABLE: advised} if advised is not None else {})
