"""Words of the API server, as a real one said them, and what they mean."""

import pytest
from swiftlet.kinds.conditions.refusals import API_REFUSALS, WORDS_LIMIT, understood

JOB = 'jobs.batch "bird-train-0" is forbidden: '
POD = 'pods "bird-train-0-0-x2x4k" is forbidden: '
ACCOUNT = 'User "system:serviceaccount:swiftlet-system:swiftlet-operator"'


@pytest.mark.parametrize(
    ("code", "words", "reason"),
    [
        (403, JOB + "exceeded quota: jobs, requested: count/jobs.batch=1, used: 0, limited: 0", "QuotaExceeded"),
        (403, POD + "failed quota: cpu: must specify requests.cpu for: prepare,train", "QuotaExceeded"),
        (403, JOB + "status unknown for quota: jobs, resources: count/jobs.batch", "QuotaExceeded"),
        (403, POD + "maximum memory usage per Container is 2Gi, but limit is 4Gi", "LimitRangeExceeded"),
        (403, POD + "minimum cpu usage per Pod is 1, but request is 500m", "LimitRangeExceeded"),
        (403, POD + "cpu max limit to request ratio per Container is 2, but ...", "LimitRangeExceeded"),
        (403, POD + 'violates PodSecurity "restricted:latest": hostPath volumes', "PolicyDenied"),
        (422, JOB + "ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no", "PolicyDenied"),
        (400, 'admission webhook "w.example.com" denied the request: cost-centre', "PolicyDenied"),
        (500, 'Internal error occurred: failed calling webhook "w": failed to call', "WebhookUnavailable"),
        (
            403,
            JOB + "unable to create content in namespace x because it is being terminated",
            "NamespaceTerminating",
        ),
        (404, 'namespaces "gone" not found', "NamespaceTerminating"),
        (403, f'jobs.batch is forbidden: {ACCOUNT} cannot create resource "jobs" in API group', "OperatorForbidden"),
        (403, POD + 'error looking up service account x/y: serviceaccount "y" not found', "AdmissionObjectMissing"),
        (403, POD + "no PriorityClass with name high was found", "AdmissionObjectMissing"),
        (422, 'ConfigMap "bird" is invalid: data: Too long: may not be more than 1048576 bytes', "TooLarge"),
        (500, "etcdserver: request is too large", "TooLarge"),
        (413, "limit is 3145728", "TooLarge"),
        (422, 'Job.batch "bird" is invalid: spec.template.spec.containers[0].image: Required', "ChildRejected"),
        (403, JOB + "because I say so", "Forbidden"),
        (409, "Operation cannot be fulfilled on jobs.batch", "ApiServerBusy"),
        (504, "Timeout: request did not complete within the allotted time", "ApiServerBusy"),
        (0, POD + "exceeded quota: pods", "QuotaExceeded"),
    ],
)
def test_the_words_are_kept_and_get_a_reason_and_a_remedy(code: int, words: str, reason: str) -> None:
    found = understood(words, code)
    assert found.reason == reason
    assert found.message.startswith(words.rstrip(". "))
    assert len(found.message) > len(words) + 10
    assert reason in API_REFUSALS
    assert found.waits == (reason not in ("TooLarge", "ChildRejected")), "only the document mends these"


def test_a_flood_of_words_is_cut() -> None:
    assert len(understood("x" * 100_000, 422).message) < WORDS_LIMIT + 200
