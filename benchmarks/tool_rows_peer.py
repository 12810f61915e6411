"""How long ms-swift takes to prepare rows with tools: run by its environment's interpreter, in a folder of its own.

    python tool_rows_peer.py MODEL ROWS PROCESSES

MODEL: a folder with a tokenizer. The last line is {"seconds", "processor", "rows", "tokens", "settings"}; loading of
libraries and of the tokenizer is not counted. ms-swift makes the tokens and weights of each row and keeps how many they
are: training makes them again in each epoch.
"""

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any


def main() -> None:
    """Prepare, and print the figures as the last line."""
    model, rows, processes = sys.argv[1:]
    settings = {
        "model": model,
        "model_type": "llama",
        "template": "chatml",
        "agent_template": "react_en",
        "loss_scale": "react",
        "dataset": rows,
        "dataset_num_proc": processes,
        "max_length": "2048",
        "split_dataset_ratio": "0",
        "to_cached_dataset": "true",
        "load_from_cache_file": "false",
        "output_dir": "prepared",
    }
    from swift.pipelines.export.cached_dataset import ExportCachedDataset

    exporter: Any = ExportCachedDataset([word for name, value in settings.items() for word in (f"--{name}", value)])
    start, before = time.perf_counter(), processor()
    exporter.main()
    figures = {"seconds": time.perf_counter() - start, "processor": processor() - before}
    from datasets import load_from_disk

    prepared = load_from_disk(str(next(Path().glob("prepared*/train"))))
    tokens = sum(sum(each) if isinstance(each, list) else each for each in prepared["lengths"])
    print("\n" + json.dumps({**figures, "rows": len(prepared), "tokens": tokens, "settings": settings}), flush=True)


def processor() -> float:
    """Seconds of processor time of this process and of those that it has ended."""
    found = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in found)


if __name__ == "__main__":
    main()
