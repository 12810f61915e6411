"""From a commit to a served model, and what Argo CD says on the way."""

import re
from typing import Any

from .conftest import FINISHED, POOR


def test_a_commit_trains_waits_and_is_served(bird: Any, reader: Any) -> None:
    bird.follow()
    bird.await_operation("Running", "waiting for healthy state of swiftlet.dev/FineTuneJob/bird-1")
    bird.end("FineTuneJob", "bird-1", runs=True)
    bird.place.await_condition("FineTuneJob", "bird-1", "Succeeded", "Unknown", "Training")
    bird.look()  # another message alone is not looked at before the next resync
    bird.await_health("FineTuneJob", "bird-1", "Progressing", "Training")
    assert not re.search(r"\d", bird.health("FineTuneJob", "bird-1")[1]), "a figure would stand still"
    assert not bird.exists("EvalRun", "bird-1") and not bird.exists("ModelDeployment", "bird")

    bird.train("bird-1")
    bird.await_operation("Running", "waiting for healthy state of swiftlet.dev/EvalRun/bird-1")
    assert not bird.exists("ModelDeployment", "bird")
    bird.end("EvalRun", "bird-1")
    bird.await_operation("Succeeded", "")
    bird.await_health("ModelDeployment", "bird", "Progressing", "")  # the last wave is not waited for
    bird.await_served()
    assert "Synced" in reader.does("argocd app get bird")

    place = bird.place
    place.await_rest(4.0)
    written = place.mark()
    bird.look("hard")
    place.few_writes_since(written)
    bird.await_status(*FINISHED)
    assert bird.syncs() == 1, "defaults and children are no drift"
    for kind, name in (("FineTuneJob", "bird-1"), ("EvalRun", "bird-1"), ("ModelDeployment", "bird")):
        assert place.get(kind, name)["metadata"]["generation"] == 1, kind


def test_a_gate_that_fails_ends_the_sync_and_one_that_passes_later_goes_on_by_itself(bird: Any, reader: Any) -> None:
    bird.follow()
    bird.train("bird-1")
    bird.end("EvalRun", "bird-1", POOR)
    bird.await_health("EvalRun", "bird-1", "Degraded", "GateFailed")
    bird.await_health("EvalRun", "bird-1", "Degraded", "contains 0.4 (baseline 0.05): min 0.8 missed by 0.4")
    bird.await_operation("Running", "Retrying attempt #")
    assert not bird.exists("ModelDeployment", "bird")
    failed = bird.uid("EvalRun", "bird-1")
    reader.does("argocd app delete-resource bird --kind EvalRun --resource-name bird-1")
    bird.place.wait(lambda: bird.uid("EvalRun", "bird-1") != failed, "another evaluation")
    bird.end("EvalRun", "bird-1")
    bird.await_served()
    bird.await_operation("Succeeded", "")


def test_applied_and_compared_on_the_servers_side_defaults_are_no_drift_either(bird: Any) -> None:
    bird.edit("application.yaml", "    automated:", "    syncOptions: [ServerSideApply=true]\n    automated:")
    compare = "annotations: {argocd.argoproj.io/compare-options: ServerSideDiff=true}"
    bird.edit("application.yaml", "namespace: argocd}", f"namespace: argocd, {compare}}}")
    bird.follow()
    bird.serve("bird-1")
    bird.look("hard")
    bird.await_status(*FINISHED)
    assert bird.syncs() == 1
