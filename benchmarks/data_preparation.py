"""Rows per second and peak memory of data preparation: `python benchmarks/data_preparation.py [--json FILE]`.

Each size runs in its own process, since a process never gives its peak memory back. The rows are chats of two to six
turns with 20 to 300 words each; the tokenizer is the quickstart model's. What one run leaves is removed.
"""

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SIZES = (10_000, 100_000)
COLUMNS = (
    "rows",
    "packing",
    "file_mib",
    "seconds",
    "rows_per_second",
    "tokens_per_second",
    "anonymous_before_mib",
    "peak_anonymous_mib",
    "peak_resident_mib",
)
WORDS = Path(__file__).parent.parent / "examples" / "quickstart" / "data" / "general-text.jsonl"


def write_rows(file: Path, rows: int, seed: int = 0) -> None:
    """A jsonl file of `rows` generated chats."""
    generator = random.Random(seed)
    words = " ".join(json.loads(line)["text"] for line in WORDS.read_text().splitlines()).split()
    with file.open("w") as stream:
        for _ in range(rows):
            turns = [
                {
                    "role": ("user", "assistant")[index % 2],
                    "content": " ".join(generator.choices(words, k=generator.randint(20, 300))),
                }
                for index in range(2 * generator.randint(1, 3))
            ]
            stream.write(json.dumps({"messages": turns}) + "\n")


def measure(rows: int, packing: bool) -> dict[str, Any]:
    """Prepare `rows` rows in this process.

    Memory is in MiB. peak_resident counts the pages of mapped files, which the kernel takes back when it needs them;
    peak_anonymous, sampled, is what the process itself holds, and anonymous_before that of the loaded libraries.
    """
    from swiftlet.wire.documents import TrainDocument
    from swiftlet_trainer.data.prepare import prepare
    from swiftlet_trainer.models.loading import load_tokenizer
    from swiftlet_trainer.models.smollm2 import folder

    with tempfile.TemporaryDirectory() as scratch:
        data = Path(scratch) / "rows.jsonl"
        write_rows(data, rows)
        document = TrainDocument.model_validate(
            {
                **{"name": "bench", "namespace": "default", "uid": "1", "nodes": 1, "processesPerNode": 1},
                "model": {"uri": "hf://HuggingFaceTB/SmolLM2-135M-Instruct", "path": str(folder())},
                "datasets": [{"uri": "rows.jsonl", "path": str(data)}],
                "template": {"maxLength": 2048, "packing": packing},
                **{"task": {}, "tuner": {"lora": {}}, "training": {}, "checkpoints": {}, "strategy": "ddp"},
                **{"perDeviceBatchSize": 1, "gradientAccumulationSteps": 1, "useGpu": False},
                **{"outputDir": f"{scratch}/out", "artifactUri": "pvc://bench/artifact"},
            }
        )
        tokenizer = load_tokenizer(document.model)
        before = anonymous_mib()
        with sampled_peak() as peak:
            start = time.perf_counter()
            prepared = prepare(document, tokenizer)
            seconds = time.perf_counter() - start
        return {
            "rows": rows,
            "packing": packing,
            "seconds": round(seconds, 2),
            "rows_per_second": round(rows / seconds),
            "tokens_per_second": round(prepared.counts.tokens / seconds),
            "file_mib": round(data.stat().st_size / 2**20, 1),
            "anonymous_before_mib": before,
            "peak_anonymous_mib": max(peak),
            "peak_resident_mib": peak_resident_mib(),
            "sequences": len(prepared.train),
            "fill": round(prepared.counts.tokens / (2048 * len(prepared.train)), 3) if packing else None,
        }


def peak_resident_mib() -> float:
    """Peak resident memory of this process so far (Linux gives KiB)."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


def anonymous_mib() -> float:
    """Memory that no file backs, now (source: proc(5), RssAnon in KiB)."""
    status = Path("/proc/self/status").read_text()
    return round(int(status.split("RssAnon:")[1].split()[0]) / 1024, 1)


@contextmanager
def sampled_peak(seconds: float = 0.05) -> Iterator[list[float]]:
    """Anonymous memory every `seconds` while the block runs."""
    samples, done = [anonymous_mib()], threading.Event()

    def sample() -> None:
        while not done.wait(seconds):
            samples.append(anonymous_mib())

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield samples
    finally:
        done.set()
        thread.join()


def in_own_process(rows: int, packing: bool) -> dict[str, Any]:
    """What `measure` finds in a process of its own, which says on stderr what it is at."""
    print(f"{rows:,} rows, {'packed' if packing else 'not packed'}", file=sys.stderr, flush=True)
    command = [sys.executable, __file__, "--one", str(rows), *(["--packing"] if packing else [])]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.returncode)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--packing", action="store_true", help=argparse.SUPPRESS)
    parsed = parser.parse_args()
    if parsed.one:
        print(json.dumps(measure(parsed.one, parsed.packing)))
        return
    figures = [in_own_process(rows, packing) for packing in (False, True) for rows in SIZES]
    print(" ".join(f"{name:>{len(name) + 2}}" for name in COLUMNS))
    for one in figures:
        print(" ".join(f"{one[name]!s:>{len(name) + 2}}" for name in COLUMNS))
    if parsed.json:
        parsed.json.write_text(json.dumps({"benchmark": "data_preparation", "figures": figures}, indent=2) + "\n")


if __name__ == "__main__":
    main()
