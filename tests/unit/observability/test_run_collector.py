"""Which resources have series."""

from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from swiftlet.kube.cache import Cache
from swiftlet.observability.run_collector import RunCollector

Object = dict[str, Any]


def job(name: str, version: int, made: int = 0, end: str = "Unknown", step: int = 1) -> Object:
    condition = {"type": "Succeeded", "status": end, "reason": "Training"}
    return {
        "apiVersion": "swiftlet.dev/v1alpha1",
        "kind": "FineTuneJob",
        "metadata": {
            "name": name,
            "namespace": "team",
            "uid": f"uid-{name}",
            "generation": 1,
            "resourceVersion": str(version),
            "creationTimestamp": f"2026-01-01T00:00:{made:02}Z",
        },
        "spec": {"backoffLimit": 2},
        "status": {"observedGeneration": 1, "conditions": [condition], "progress": {"step": step}},
    }


class Scraped:
    """A cache, and what a scrape says of it."""

    def __init__(self, limit: int = 100) -> None:
        self.cache, self.leads = Cache(), True
        self._registry = CollectorRegistry()
        self._registry.register(RunCollector(self.cache, lambda: self.leads, limit))

    def value(self, series: str, /, **labels: str) -> float | None:
        return self._registry.get_sample_value(f"swiftlet_{series}", labels)

    def step(self, name: str) -> float | None:
        return self.value("run_step", kind="FineTuneJob", namespace="team", name=name)

    def omitted(self) -> float | None:
        return self.value("resources_without_series", kind="FineTuneJob")

    def text(self) -> str:
        return generate_latest(self._registry).decode()


def test_a_resource_is_told_as_it_is_now_and_not_when_it_is_gone() -> None:
    scraped = Scraped()
    scraped.cache.put(job("bird", 1))
    assert scraped.step("bird") == 1
    scraped.cache.put(job("bird", 2, step=5))
    assert scraped.step("bird") == 5
    scraped.cache.put(job("bird", 3, end="True", step=6))
    assert scraped.step("bird") is None
    scraped.cache.put(job("swift", 4))
    scraped.cache.remove(job("swift", 5))
    assert scraped.step("swift") is None
    assert scraped.omitted() == 0


def test_those_that_run_are_shown_first_then_the_newest_and_the_others_are_counted() -> None:
    scraped = Scraped(limit=2)
    names = ("old", "new", "newest")
    for number, name in enumerate(names):
        scraped.cache.put(job(name, number + 1, made=number))
    exam = job("exam", 9, made=9, end="True") | {"kind": "EvalRun"}
    exam["status"]["gates"] = [{"suite": "s", "metric": "exact", "passed": True}]
    scraped.cache.put(exam)
    assert [scraped.step(name) for name in names] == [None, 1, 1]
    assert scraped.omitted() == 1
    assert scraped.value("resources_without_series", kind="EvalRun") == 1


def test_runs_that_have_ended_have_nothing_to_say_and_are_not_left_out() -> None:
    scraped = Scraped(limit=1)
    for number in range(3):
        scraped.cache.put(job(f"ended-{number}", number + 1, end="True"))
    scraped.cache.put(job("bird", 9))
    assert scraped.step("bird") == 1
    assert scraped.omitted() == 0


def test_a_standby_says_nothing() -> None:
    scraped = Scraped()
    scraped.cache.put(job("bird", 1))
    scraped.leads = False
    assert scraped.step("bird") is None
    assert scraped.omitted() is None
    assert "# TYPE swiftlet_run_step gauge" in scraped.text()


def test_odd_labels_are_escaped() -> None:
    scraped = Scraped()
    odd = job("bird", 1)
    odd["status"]["dataset"] = {"dropped": {'a "quote"\nand \\ more': 3}}
    scraped.cache.put(odd)
    assert r'reason="a \"quote\"\nand \\ more"} 3.0' in scraped.text()


def test_the_devices_of_a_run_follow_its_jobs() -> None:
    scraped = Scraped()
    scraped.cache.put(job("bird", 1))
    held = {"kind": "FineTuneJob", "namespace": "team", "name": "bird", "resource": "nvidia.com/gpu"}
    child = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": "bird-train-0",
            "namespace": "team",
            "uid": "uid-job",
            "resourceVersion": "2",
            "ownerReferences": [{"kind": "FineTuneJob", "name": "bird", "uid": "uid-bird", "controller": True}],
        },
        "spec": {"template": {"spec": {"containers": [{"resources": {"limits": {"nvidia.com/gpu": "4"}}}]}}},
        "status": {"active": 2},
    }  # fmt: skip
    scraped.cache.put(child)
    assert scraped.value("run_devices", **held) == 8
    child["metadata"]["resourceVersion"], child["status"] = "3", {"succeeded": 2}
    scraped.cache.put(child)
    assert scraped.value("run_devices", **held) is None
