"""Prints what vLLM's own parser makes of the command line for a document. Environment: DOCUMENT, a ServeDocument."""

import json
import os
from pathlib import Path

if os.environ["SWIFTLET_IMAGE_VARIANT"] == "cuda":
    import vllm.platforms
    from vllm.platforms.cuda import CudaPlatform

    vllm.platforms._current_platform = CudaPlatform()  # which vLLM would find where there is a GPU

from swiftlet.wire.documents import ServeDocument
from swiftlet_trainer.serve.vllm_arguments import vllm_arguments
from swiftlet_trainer.serve.vllm_process import RefusedArgumentsError, parse
from vllm.engine.arg_utils import AsyncEngineArgs
from vllm.entrypoints.launchers.cli_args import make_arg_parser
from vllm.utils.argparse_utils import FlexibleArgumentParser

NAMES = ("tensor_parallel_size", "pipeline_parallel_size", "kv_cache_dtype", "max_num_seqs", "served_model_name")

document = ServeDocument.model_validate_json(os.environ["DOCUMENT"])
arguments = vllm_arguments(document, Path(document.model.path), "127.0.0.1")
engine = AsyncEngineArgs.from_cli_args(parse(arguments))
refused: list[str] = []
try:
    parse([*arguments, "--tensor-parallel-sizes", "8"])
except RefusedArgumentsError as error:
    refused = error.problems
helps = "--tensor-parallel-size" in make_arg_parser(FlexibleArgumentParser(prog="vllm")).format_help()
print("FOUND", json.dumps([*(getattr(engine, name) for name in NAMES), refused, helps]))
