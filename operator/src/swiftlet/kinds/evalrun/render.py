"""The Kubernetes objects of an evaluation: ConfigMap, NetworkPolicy and Job."""

from typing import Any

from swiftlet.api.evalrun import EvalRun
from swiftlet.kinds.asked import asking
from swiftlet.kinds.children import CHANGEABLE_ANNOTATION, config_map, job_manifest
from swiftlet.kinds.evalrun.plan import EvalPlan
from swiftlet.kinds.metadata import pod_metadata, workload_metadata
from swiftlet.kinds.network_policy import network_policy
from swiftlet.kinds.output_folder import make_folder
from swiftlet.kinds.ownership import DIGEST_ANNOTATION, digest_of, uid_of
from swiftlet.kinds.podspec import all_mounts, base_env, container, image_of, pod_spec
from swiftlet.kinds.profiles import pod_resources
from swiftlet.kinds.reading import OWNER_LABEL
from swiftlet.kinds.reporting import report_env, report_mounts
from swiftlet.kinds.surroundings import Surroundings
from swiftlet.wire.messages import EXIT_TERMINATED, NEVER_RETRIED

COMPONENT = "evaluator"
GRACE_SECONDS = 30

TARGET_ANNOTATION = "swiftlet.dev/target-digest"
"""On the Job's template: digest of the artifact that it evaluates. Another artifact needs another evaluation. Nobody
can edit the template of a Job that has started, so that what was measured of one artifact never counts for another. On
the Job itself for operators of 0.1.0, which read it there."""

FAILURE_POLICY = {
    "rules": [
        {"action": "FailJob", "onExitCodes": {"operator": "In", "values": list(NEVER_RETRIED)}},
        {"action": "Ignore", "onExitCodes": {"operator": "In", "values": [EXIT_TERMINATED]}},
        {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
    ]
}
"""A lone pod that was taken away is simply replaced, and does not count against backoffLimit."""


def child_name(run: EvalRun) -> str:
    """Name of all children."""
    return f"{run.metadata.name}-eval"


def again_name(run: EvalRun) -> str:
    """Name of the second Job, when the first completed and nobody has read what its pod said."""
    return f"{child_name(run)}-1"


def changeable_digest(run: EvalRun) -> str:
    """Digest of what may be changed before another try."""
    return digest_of([run.spec.compute.resources.document(), run.spec.batch_size])


def render(run: EvalRun, plan: EvalPlan, around: Surroundings, name: str) -> list[dict[str, Any]]:
    """The objects of the evaluation; `name` is the Job's."""
    return [
        config_map(run, child_name(run), COMPONENT, plan.document),
        *network_policy(run, child_name(run), COMPONENT, around.profile, _selector(run), []),
        _job(run, plan, around, name),
    ]


def wish(run: EvalRun) -> dict[str, Any]:
    """What may be asked of the Job while it runs."""
    return {
        "suspend": run.spec.suspend,
        "backoffLimit": run.spec.backoff_limit,
        "activeDeadlineSeconds": run.spec.active_deadline_seconds,
    }


def _job(run: EvalRun, plan: EvalPlan, around: Surroundings, name: str) -> dict[str, Any]:
    profile = around.profile
    resources = pod_resources(run.spec.compute, profile, with_gpus=True)
    places = all_mounts(profile, child_name(run), (*plan.mounts, *report_mounts(around.capabilities)), resources)
    env = [*base_env(profile), *report_env(run, around.capabilities)]
    evaluate = container("evaluate", image_of(profile, "trainer"), places, env, resources)
    modest = pod_resources(run.spec.compute, profile, with_gpus=False)
    spec = pod_spec(profile, places, [evaluate], GRACE_SECONDS, _selector(run))
    spec |= {"initContainers": [make_folder(profile, plan.folder, modest)], "restartPolicy": "Never"}
    target = {TARGET_ANNOTATION: plan.document.target.digest or ""}
    template = {"metadata": pod_metadata(run, COMPONENT, profile, target), "spec": spec}
    policy = {
        "completionMode": "NonIndexed",
        "completions": 1,
        "parallelism": 1,
        "podReplacementPolicy": "Failed",
        "podFailurePolicy": FAILURE_POLICY,
    }
    digests = {
        DIGEST_ANNOTATION: digest_of([plan.document.document(), template]),
        CHANGEABLE_ANNOTATION: changeable_digest(run),
    }
    annotations = {**digests, **target}
    metadata = workload_metadata(run, name, COMPONENT, profile, annotations)
    return asking(job_manifest(metadata, policy, template), wish(run))


def _selector(run: EvalRun) -> dict[str, str]:
    return {OWNER_LABEL: uid_of(run), "app.kubernetes.io/component": COMPONENT}
