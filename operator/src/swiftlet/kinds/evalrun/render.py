"""The Kubernetes objects of an evaluation: NetworkPolicy and Job."""

from typing import Any

from swiftlet.api.v1alpha1.evalrun import EvalRun
from swiftlet.kinds.attempts.backends.job import JobBackend
from swiftlet.kinds.attempts.course import Course
from swiftlet.kinds.attempts.role import Role
from swiftlet.kinds.attempts.workload import attempt_workload
from swiftlet.kinds.children.job import CHANGEABLE_ANNOTATION, changeable_digest_of
from swiftlet.kinds.children.job_document import Handed, hand_over
from swiftlet.kinds.children.network_policy import network_policy
from swiftlet.kinds.evalrun.plan import EvalPlan
from swiftlet.kinds.frame.reading import OWNER_LABEL
from swiftlet.kinds.owning.metadata import pod_metadata, workload_metadata
from swiftlet.kinds.owning.ownership import ATTEMPT_LABEL, DIGEST_ANNOTATION, digest_of, uid_of
from swiftlet.kinds.pods.fetching import fetch_containers
from swiftlet.kinds.pods.output_folder import make_folder
from swiftlet.kinds.pods.podspec import all_mounts, base_env, container, image_of, pod_spec
from swiftlet.kinds.pods.reporting import report_env, report_mounts
from swiftlet.kinds.pods.tracking import tracking_env
from swiftlet.kinds.pods.uploading import PUBLISH, upload_container
from swiftlet.kinds.references.profiles import pod_resources
from swiftlet.kinds.surroundings import Surroundings

COMPONENT = "evaluator"
GRACE_SECONDS = 30

TARGET_ANNOTATION = "swiftlet.dev/target-digest"
"""On the Job's template: digest of the artifact that it evaluates. Another artifact needs another evaluation. Nobody
can edit the template of a Job that has started, so that what was measured of one artifact never counts for another. On
the Job itself for operators of 0.1.0, which read it there."""


def child_name(run: EvalRun) -> str:
    """Name of what all attempts share, and of the Job of the first, as releases before call it."""
    return f"{run.metadata.name}-eval"


def attempt_name(run: EvalRun, number: int) -> str:
    """Name of the Job of an attempt."""
    return f"{child_name(run)}-{number}" if number else child_name(run)


def changeable_digest(run: EvalRun) -> str:
    """Digest of what may be changed before another attempt."""
    return changeable_digest_of([run.spec.compute.resources.document(), run.spec.batch_size], run.spec.queue)


def render(run: EvalRun, plan: EvalPlan, around: Surroundings, course: Course) -> list[dict[str, Any]]:
    """The objects of the attempt that is decided on."""
    handed = hand_over(run, child_name(run), COMPONENT, plan.content)
    return [
        *handed.objects,
        *network_policy(run, child_name(run), COMPONENT, around.profile, _selector(run), []),
        _job(run, plan, handed, around, course),
    ]


def _job(run: EvalRun, plan: EvalPlan, handed: Handed, around: Surroundings, course: Course) -> dict[str, Any]:
    attempt, history = course.decision.number, course.decision.history
    target = {TARGET_ANNOTATION: plan.document.target.digest or ""}
    template = _template(run, plan, handed, around, target)
    template["metadata"]["labels"][ATTEMPT_LABEL] = str(attempt)
    annotations = {
        DIGEST_ANNOTATION: digest_of([*handed.objects, template]),
        CHANGEABLE_ANNOTATION: course.changeable,
        **target,
    }
    name = attempt_name(run, attempt)
    metadata = workload_metadata(run, name, COMPONENT, around.profile, annotations, run.spec.queue)
    role = Role(COMPONENT, 1, template, indexed=False)
    return attempt_workload(run, attempt, history, metadata, [role], JobBackend())


def _template(
    run: EvalRun, plan: EvalPlan, handed: Handed, around: Surroundings, target: dict[str, str]
) -> dict[str, Any]:
    profile = around.profile
    resources = pod_resources(run.spec.compute, profile, with_gpus=True)
    places = all_mounts(profile, handed.mount, (*plan.mounts, *report_mounts(around.capabilities)), resources)
    reports = report_env(run, around.capabilities)
    env = [*base_env(profile), *reports, *tracking_env(run.spec.report_to)]
    evaluate = container("evaluate", image_of(profile, "trainer"), places, env, resources)
    modest = pod_resources(run.spec.compute, profile, with_gpus=False)
    publish = upload_container(PUBLISH, profile, [plan.document.attach_uri], places, reports)
    spec = pod_spec(profile, places, [evaluate, *publish], GRACE_SECONDS, _selector(run))
    fetch = fetch_containers(profile, image_of(profile, "trainer"), places, modest)
    spec |= {"initContainers": [make_folder(profile, plan.folder, modest), *fetch], "restartPolicy": "Never"}
    return {"metadata": pod_metadata(run, COMPONENT, profile, {**target, **handed.annotations}), "spec": spec}


def _selector(run: EvalRun) -> dict[str, str]:
    return {OWNER_LABEL: uid_of(run), "app.kubernetes.io/component": COMPONENT}
