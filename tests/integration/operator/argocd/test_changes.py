"""What becomes of commits that come later: new runs, refused edits, runs taken out, and the way back."""

from typing import Any

from .conftest import FINISHED, POOR


def new_run(bird: Any, reader: Any) -> None:
    reader.does("sed s/bird-1/bird-2/ bird/runs/bird-1.yaml > bird/runs/bird-2.yaml")
    reader.does("(cd bird && kustomize edit add resource runs/bird-2.yaml)")
    reader.does('git add bird && git commit -m "Train bird-2" && git push')
    bird.look()


def test_a_new_run_is_a_new_file_and_promoting_and_going_back_are_commits(bird: Any, reader: Any) -> None:
    bird.follow()
    bird.serve("bird-1")
    first = bird.uid("FineTuneJob", "bird-1")

    new_run(bird, reader)
    bird.train("bird-2")
    bird.end("EvalRun", "bird-2")
    bird.await_operation("Succeeded", "")
    served = bird.place.get("ModelDeployment", "bird")["spec"]["model"]
    assert served == {"fineTuneJobRef": {"name": "bird-1"}}, "trained and not yet promoted"

    reader.does("sed -i s/bird-1/bird-2/ bird/modeldeployment.yaml")
    reader.does('git commit -a -m "Serve bird-2" && git push')
    bird.look()
    _await_served(bird, "bird-2", "promoted")
    reader.does("git revert --no-edit HEAD && git push")
    bird.look()
    _await_served(bird, "bird-1", "gone back")
    assert bird.uid("FineTuneJob", "bird-1") == first, "nothing is trained again"


def _await_served(bird: Any, name: str, what: str) -> None:
    place = bird.place
    ref = {"fineTuneJobRef": {"name": name}}
    place.wait(lambda: place.get("ModelDeployment", "bird")["spec"]["model"] == ref, what)
    bird.await_served()


def test_a_failed_gate_of_a_new_run_leaves_what_is_served_and_the_next_commit_goes_on(bird: Any, reader: Any) -> None:
    bird.follow()
    bird.serve("bird-1")
    new_run(bird, reader)
    bird.train("bird-2")
    bird.end("EvalRun", "bird-2", POOR)
    bird.await_operation("Running", "Retrying attempt #")
    bird.await_health("EvalRun", "bird-2", "Degraded", "GateFailed")
    bird.await_app_health("Degraded")
    bird.await_health("ModelDeployment", "bird", "Healthy", "")
    reader.does("git revert --no-edit HEAD && git push")
    bird.await_status(*FINISHED)
    assert not bird.exists("FineTuneJob", "bird-2"), "taken out of git"


def test_an_edit_of_a_run_that_has_begun_is_refused_in_our_words(bird: Any, reader: Any) -> None:
    bird.follow()
    bird.serve("bird-1")
    first = bird.uid("FineTuneJob", "bird-1")
    bird.edit("bird/runs/bird-1.yaml", "rank: 16", "rank: 8")
    bird.push("Another rank")
    bird.look()
    bird.await_operation("Running", "Retrying attempt #")
    bird.await_result("tuner is immutable: delete the resource and create it again, or use a new name")
    assert bird.uid("FineTuneJob", "bird-1") == first
    reader.does("git revert --no-edit HEAD && git push")
    bird.await_status(*FINISHED)


def test_a_commit_waits_for_a_sync_that_waits_until_somebody_ends_it(bird: Any, reader: Any) -> None:
    bird.follow()
    uid = bird.uid("FineTuneJob", "bird-1")
    bird.edit("bird/runs/bird-1.yaml", "spec:\n  model:", "spec:\n  backoffLimit: 5\n  model:")
    bird.push("Try harder")
    bird.look()
    bird.await_operation("Running", "waiting for healthy state")
    assert backoff_limit(bird) == 2
    reader.does("argocd app terminate-op bird")
    bird.place.wait(lambda: backoff_limit(bird) == 5, "the newest commit")
    assert bird.uid("FineTuneJob", "bird-1") == uid, "the same run goes on"


def test_a_run_taken_out_of_git_is_pruned_and_its_artifacts_stay(bird: Any, reader: Any) -> None:
    bird.follow()
    bird.serve("bird-1")
    uid, place = bird.uid("FineTuneJob", "bird-1"), bird.place
    (claim,) = place.core.list_namespaced_persistent_volume_claim(place.namespace).items
    bird.edit("bird/kustomization.yaml", "  - runs/bird-1.yaml\n", "")
    bird.push("Forget bird-1")
    bird.look()
    place.wait(lambda: not bird.exists("FineTuneJob", "bird-1"), "pruned")
    place.wait(lambda: not place.children(uid), "its Job and pods are gone")
    (left,) = place.core.list_namespaced_persistent_volume_claim(place.namespace).items
    assert left.metadata.uid == claim.metadata.uid and left.metadata.deletion_timestamp is None
    place.await_condition("ModelDeployment", "bird", "Progressing", "Unknown", "ReferenceNotFound")
    place.await_condition("ModelDeployment", "bird", "Ready", "True", "Available")  # it is still served
    bird.await_status(*FINISHED)


def backoff_limit(bird: Any) -> int:
    return int(bird.place.get("FineTuneJob", "bird-1")["spec"]["backoffLimit"])
