"""The objects of a run: NetworkPolicy, a workload per attempt, and the Service of pods that meet."""

from typing import Any

from swiftlet.api.v1alpha1.compute import Compute, parse_quantity
from swiftlet.api.v1alpha1.computeprofile import ComputeProfileSpec
from swiftlet.api.v1alpha1.finetunejob import CHANGEABLE, FineTuneJob
from swiftlet.kinds.attempts.backends.backend import Backend
from swiftlet.kinds.attempts.course import Course
from swiftlet.kinds.attempts.role import Role
from swiftlet.kinds.attempts.workload import attempt_workload
from swiftlet.kinds.children.job import CHANGEABLE_ANNOTATION, changeable_digest_of
from swiftlet.kinds.children.job_document import Handed, hand_over
from swiftlet.kinds.children.network_policy import from_each_other, network_policy
from swiftlet.kinds.finetunejob.lineage import annotation
from swiftlet.kinds.finetunejob.plan import TrainPlan
from swiftlet.kinds.frame.reading import OWNER_LABEL
from swiftlet.kinds.observing.observed import INDEX_ANNOTATION
from swiftlet.kinds.owning.metadata import pod_metadata, workload_metadata
from swiftlet.kinds.owning.ownership import (
    ATTEMPT_LABEL,
    DIGEST_ANNOTATION,
    child_metadata,
    digest_of,
    namespace_of,
    uid_of,
)
from swiftlet.kinds.pods.fabric import fabric_annotations, fabric_env, fabric_of, fabric_resources
from swiftlet.kinds.pods.fetching import fetch_containers
from swiftlet.kinds.pods.output_folder import make_folder
from swiftlet.kinds.pods.podspec import all_mounts, base_env, container, field_env, image_of, pod_spec
from swiftlet.kinds.pods.reporting import report_env, report_mounts
from swiftlet.kinds.pods.tracking import tracking_env
from swiftlet.kinds.pods.uploading import RESTORE, UPLOAD, upload_container
from swiftlet.kinds.references.profiles import pod_resources
from swiftlet.kinds.surroundings import Surroundings

COMPONENT = "trainer"
GRACE_SECONDS = 120
"""For an agreed checkpoint after SIGTERM; the longest that a spot node's notice leaves."""


def changeable_digest(job: FineTuneJob) -> str:
    """Digest of what may be changed between two attempts."""
    parts = {part: getattr(job.spec, part).document() for part in CHANGEABLE}
    changed = [parts[part].get(name) for part, names in CHANGEABLE.items() for name in names]
    return changeable_digest_of(changed, job.spec.queue)


def child_name(job: FineTuneJob) -> str:
    """Name of what all attempts share."""
    return f"{job.metadata.name}-train"


def attempt_name(job: FineTuneJob, number: int) -> str:
    """Name of the workload of an attempt."""
    return f"{child_name(job)}-{number}"


def render(
    job: FineTuneJob, plan: TrainPlan, around: Surroundings, course: Course, backend: Backend
) -> list[dict[str, Any]]:
    """The objects of the attempt that is decided on, its workload last."""
    own, handed = _selector(job), hand_over(job, child_name(job), COMPONENT, plan.content)
    return [
        *handed.objects,
        *_meeting_place(job, plan),
        *network_policy(job, child_name(job), COMPONENT, around.profile, own, from_each_other(own)),
        _workload(job, plan, handed, around, course, backend),
    ]


def _meeting_place(job: FineTuneJob, plan: TrainPlan) -> list[dict[str, Any]]:
    """The headless Service that gives pods names to find each other by; a lone pod asks for nobody's."""
    if plan.layout.nodes == 1:
        return []
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": child_metadata(job, child_name(job), COMPONENT),
        "spec": {"clusterIP": "None", "publishNotReadyAddresses": True, "selector": _selector(job)},
    }
    return [service]


def _selector(job: FineTuneJob) -> dict[str, str]:
    """Labels of the pods of every attempt."""
    return {OWNER_LABEL: uid_of(job), "app.kubernetes.io/component": COMPONENT}


def _workload(
    job: FineTuneJob,
    plan: TrainPlan,
    handed: Handed,
    around: Surroundings,
    course: Course,
    backend: Backend,
) -> dict[str, Any]:
    attempt, history = course.decision.number, course.decision.history
    name = attempt_name(job, attempt)
    template = _template(job, plan, handed, around, backend.hostname(name, COMPONENT, 0))
    template["metadata"]["labels"][ATTEMPT_LABEL] = str(attempt)
    annotations = {
        DIGEST_ANNOTATION: digest_of([*handed.objects, template]),
        CHANGEABLE_ANNOTATION: course.changeable,
    }
    metadata = workload_metadata(job, name, COMPONENT, around.profile, annotations, job.spec.queue)
    role = Role(COMPONENT, plan.layout.nodes, template)
    return attempt_workload(job, attempt, history, metadata, [role], backend)


def _template(job: FineTuneJob, plan: TrainPlan, handed: Handed, around: Surroundings, first: str) -> dict[str, Any]:
    profile, compute = around.profile, job.spec.compute
    modest = pod_resources(compute, profile, with_gpus=False)
    places = all_mounts(profile, handed.mount, (*plan.mounts, *report_mounts(around.capabilities)), modest)
    env = [*base_env(profile), *report_env(job, around.capabilities)]
    prepare = container("prepare", image_of(profile, "trainer"), places, env, modest)
    network = fabric_of(profile, around.capabilities, plan.layout.nodes, compute.gpus)
    train = container(
        "train",
        image_of(profile, "trainer"),
        places,
        [*env, *_train_env(job, plan, profile, first), *fabric_env(network, compute.gpus)],
        fabric_resources(network, plan.layout.nodes, pod_resources(compute, profile, with_gpus=True)),
    )
    targets, rank = (plan.document.export_uri, plan.document.copies_uri), _rendezvous(job, plan, first)
    restore, upload = (upload_container(verb, profile, targets, places, rank) for verb in (RESTORE, UPLOAD))
    spec = pod_spec(profile, places, [train, *upload], GRACE_SECONDS, _selector(job))
    spec |= {
        "initContainers": [
            make_folder(profile, plan.folder, modest),
            *restore,
            *fetch_containers(profile, image_of(profile, "trainer"), places, modest),
            prepare,
        ],
        "restartPolicy": "Never",
        "subdomain": child_name(job),
    }
    if plan.layout.nodes > 1 and not around.capabilities.shared_network:
        spec.setdefault("topologySpreadConstraints", [_spread(job)])
    annotations = {**fabric_annotations(network), **annotation(plan.lineage), **handed.annotations}
    return {"metadata": pod_metadata(job, COMPONENT, profile, annotations), "spec": spec}


def _spread(job: FineTuneJob) -> dict[str, Any]:
    """A pod per node, where there are as many: two on one would only share its cores and its network card."""
    return {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": _selector(job)},
    }


def _train_env(job: FineTuneJob, plan: TrainPlan, profile: ComputeProfileSpec, first: str) -> list[dict[str, Any]]:
    threads = _threads(job.spec.compute, profile, plan.layout.processes_per_node)
    return [*_rendezvous(job, plan, first), *threads, *tracking_env(job.spec.training.report_to)]


def _rendezvous(job: FineTuneJob, plan: TrainPlan, first: str) -> list[dict[str, Any]]:
    """torchrun's variables. Source: torch.distributed.run, `PET_` + option. A lone node needs no name service.

    first: hostname of the pod that the others meet at.
    """
    host = f"{first}.{child_name(job)}.{namespace_of(job)}.svc"
    values = {
        "PET_NNODES": str(plan.layout.nodes),
        "PET_NPROC_PER_NODE": str(plan.layout.processes_per_node),
        "PET_MASTER_ADDR": host if plan.layout.nodes > 1 else "127.0.0.1",
        "PET_MASTER_PORT": str(plan.rendezvous_port),
    }
    rank = field_env("PET_NODE_RANK", f"metadata.annotations['{INDEX_ANNOTATION}']")
    return [*({"name": name, "value": value} for name, value in values.items()), rank]


def _threads(compute: Compute, profile: ComputeProfileSpec, processes: int) -> list[dict[str, Any]]:
    """OpenMP would count the node's cores; what the container may use is its limit."""
    cpu = pod_resources(compute, profile, with_gpus=False).get("limits", {}).get("cpu")
    if cpu is None:
        return []
    return [{"name": "OMP_NUM_THREADS", "value": str(max(1, int(parse_quantity(cpu)) // processes))}]
