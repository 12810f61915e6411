import pytest
from testbed.faults import Call, Drop, EndWatch, Fault, Refuse, call_of

JOBS = "/apis/batch/v1/namespaces/team/jobs"
APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json; charset=utf-8"


@pytest.mark.parametrize(
    ("method", "path", "query", "content_type", "said"),
    [
        ("GET", "/version", {}, "", "get /version"),
        ("GET", "/apis/batch/v1", {}, "", "get /apis/batch/v1"),
        ("GET", "/api/v1/pods", {"limit": "500"}, "", "list pods"),
        ("GET", "/api/v1/pods", {"watch": "true"}, "", "watch pods"),
        ("GET", JOBS, {"watch": "1"}, "", "watch jobs team"),
        ("GET", f"{JOBS}/bird-train-0", {}, "", "get jobs team/bird-train-0"),
        ("GET", "/api/v1/namespaces", {}, "", "list namespaces"),
        ("GET", "/api/v1/namespaces/team", {}, "", "get namespaces team"),
        ("PATCH", f"{JOBS}/bird", {"fieldManager": "swiftlet"}, APPLY, "apply jobs team/bird"),
        ("PATCH", f"{JOBS}/bird/status", {}, MERGE, "patch jobs team/bird/status"),
        ("POST", "/api/v1/namespaces/team/events", {}, "application/json", "create events team"),
        ("POST", "/apis/authentication.k8s.io/v1/tokenreviews", {}, "", "create tokenreviews"),
        ("PUT", "/apis/coordination.k8s.io/v1/namespaces/a/leases/b", {}, "", "update leases a/b"),
        ("DELETE", f"{JOBS}/bird", {}, "", "delete jobs team/bird"),
        ("DELETE", JOBS, {}, "", "deletecollection jobs team"),
        ("PATCH", "/apis/swiftlet.dev/v1alpha1/computeprofiles/default", {}, "", "patch computeprofiles default"),
    ],
)  # fmt: skip
def test_requests_are_told_apart(method: str, path: str, query: dict[str, str], content_type: str, said: str) -> None:
    call = call_of(method, path, query, content_type)
    assert str(call) == said
    assert call.manager == query.get("fieldManager", "")


def test_reviews_and_reads_are_no_writes() -> None:
    assert not call_of("POST", "/apis/authentication.k8s.io/v1/tokenreviews", {}).is_write
    assert not call_of("GET", JOBS, {}).is_write
    assert call_of("POST", JOBS, {}).is_write


def test_a_rule_strikes_from_its_nth_match_as_often_as_it_says() -> None:
    fault = Fault(Refuse(409), verb="write", resource="jobs", nth=2, times=2)
    job, pod = Call("apply", "/", "jobs", "team", "a"), Call("apply", "/", "pods", "team", "a")
    assert [fault.strikes(call) for call in (job, pod, job, pod, job, job)] == [False, False, True, False, True, False]
    assert (fault.seen, fault.done) == (4, 2)


def test_empty_fields_match_everything_and_an_empty_subresource_the_object_itself() -> None:
    status = Call("patch", "/", "jobs", "team", "a", "status")
    assert Fault(Drop("before")).matches(status)
    assert not Fault(Drop("before"), subresource="").matches(status)
    assert Fault(Drop("before"), namespace="team", name="a", subresource="status").matches(status)
    assert not Fault(Drop("before"), name="b").matches(status)


def test_only_watches_are_ended() -> None:
    assert not Fault(EndWatch("gone")).matches(Call("list", "/", "pods"))
    assert Fault(EndWatch("gone")).matches(Call("watch", "/", "pods"))
