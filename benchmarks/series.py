"""What a scrape of the operator costs while thousands of runs tell their steps: lines, seconds, memory.

    python benchmarks/series.py [--jobs 1000 5000] [--limit 1000]

The jobs are in the operator's cache as its watch leaves them; half of them have told another step before each scrape.
"""

import argparse
import statistics
import time
from typing import Any

import psutil
from prometheus_client import CollectorRegistry, generate_latest
from swiftlet.kube.cache import Cache
from swiftlet.observability.run_collector import RunCollector

SCRAPES = 7
PROGRESS = {"totalSteps": 1000, "percent": 5, "loss": "1.25", "evalLoss": "1.5", "learningRate": "0.0002"}
PROGRESS |= {"gradNorm": "0.5", "tokensPerSecond": "12345.6", "epoch": "0.5", "etaSeconds": 700, "checkpointStep": 0}
DATASET = {"read": 1000, "used": 990, "evalRows": 0, "tokens": 123456, "dropped": {"too_long": 6, "no_answer": 4}}


def job(number: int, step: int) -> dict[str, Any]:
    """A run in its middle."""
    name = f"bird-{number}"
    metadata = {"name": name, "namespace": f"team-{number % 20}", "uid": name, "generation": 1}
    metadata |= {"resourceVersion": f"{number}{step}", "creationTimestamp": "2026-01-01T00:00:00Z"}
    condition = {"type": "Succeeded", "status": "Unknown", "reason": "Training"}
    status = {"observedGeneration": 1, "conditions": [condition], "progress": PROGRESS | {"step": step}}
    status |= {"dataset": DATASET, "restarts": {"user": 0, "infrastructure": 1}, "startTime": "2026-01-01T00:00:00Z"}
    head = {"apiVersion": "swiftlet.dev/v1alpha1", "kind": "FineTuneJob", "metadata": metadata}
    return {**head, "spec": {"backoffLimit": 2}, "status": status}


def measured(jobs: int, limit: int) -> str:
    """A row of the table: jobs, those that have series, lines, seconds of the median and the longest scrape, MB."""
    cache, registry, process = Cache(), CollectorRegistry(), psutil.Process()
    for number in range(jobs):
        cache.put(job(number, 1))
    registry.register(RunCollector(cache, lambda: True, limit))
    before, seconds, text = process.memory_info().rss, list[float](), b""
    for scrape in range(SCRAPES):
        for number in range(scrape % 2, jobs, 2):
            cache.put(job(number, scrape + 2))
        began = time.process_time()
        text = generate_latest(registry)
        seconds.append(time.process_time() - began)
    lines = sum(not line.startswith(b"#") for line in text.splitlines())
    grown = (process.memory_info().rss - before) / 1e6
    median = statistics.median(seconds)
    return f"{jobs:5}  {min(jobs, limit):11}  {lines:6}  {median:8.2f}  {max(seconds):9.2f}  {grown:7.0f}"


def main() -> None:
    """See the module's text."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, nargs="+", default=[1000, 5000])
    parser.add_argument("--limit", type=int, default=1000, help="as operator.seriesLimit")
    given = parser.parse_args()
    print(f"{SCRAPES} scrapes; seconds are of one core; MB that the process grew by in them")
    print(f"{'jobs':>5}  {'with series':>11}  {'lines':>6}  {'median s':>8}  {'longest s':>9}  {'MB more':>7}")
    for jobs in given.jobs:
        print(measured(jobs, given.limit))


if __name__ == "__main__":
    main()
