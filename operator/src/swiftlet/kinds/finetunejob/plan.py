"""From a FineTuneJob's spec to the numbers and the job document of its run."""

from dataclasses import dataclass
from typing import Literal

from swiftlet.api.v1alpha1.finetunejob import FineTuneJob
from swiftlet.api.v1alpha1.finetunejob_status import PlanStatus
from swiftlet.api.v1alpha1.uris import written_uri
from swiftlet.kinds.conditions.verdict import Verdict
from swiftlet.kinds.finetunejob.beginning import begin
from swiftlet.kinds.finetunejob.lineage import Lineage, tuner_of
from swiftlet.kinds.frame.written import Written
from swiftlet.kinds.owning.ownership import namespace_of, planned_port, uid_of
from swiftlet.kinds.pods.mounts import output
from swiftlet.kinds.references.sources import locate_file
from swiftlet.kinds.surroundings import Surroundings
from swiftlet.storage.artifacts import artifact_uri
from swiftlet.storage.mount import Mount
from swiftlet.wire.documents import OUTPUT_ROOT, ResolvedDataset, TrainDocument

PlannedStrategy = Literal["ddp", "zero1", "zero2", "zero3"]

LARGEST_CHOSEN_BATCH = 8
"""Rows per forward pass when the document sets none: more gains little at usual lengths and costs memory linearly."""

FIRST_RENDEZVOUS_PORT = 20000
RENDEZVOUS_PORTS = 10000
"""Below Linux' ephemeral ports (32768), so that no outgoing connection holds the port."""


@dataclass(frozen=True)
class Layout:
    """How the run spreads over processes."""

    nodes: int
    processes_per_node: int
    strategy: PlannedStrategy
    per_device_batch_size: int
    gradient_accumulation_steps: int

    @property
    def world_size(self) -> int:
        return self.nodes * self.processes_per_node

    def status(self) -> PlanStatus:
        return PlanStatus(
            world_size=self.world_size,
            strategy=self.strategy,
            gradient_accumulation_steps=self.gradient_accumulation_steps,
            per_device_batch_size=self.per_device_batch_size,
        )

    def words(self) -> str:
        return (
            f"{self.world_size} process{'es' if self.world_size > 1 else ''} on {self.nodes} pod"
            f"{'s' if self.nodes > 1 else ''}, {self.strategy}, {self.per_device_batch_size} rows x"
            f" {self.gradient_accumulation_steps} accumulation steps per process"
        )


@dataclass(frozen=True)
class TrainPlan(Written):
    """Everything that rendering needs."""

    layout: Layout
    document: TrainDocument
    mounts: tuple[Mount, ...]
    folder: str
    """The run's own, on the artifacts volume."""
    rendezvous_port: int
    lineage: Lineage


def plan_layout(job: FineTuneJob) -> Layout | Verdict:
    """The layout, or the refusal with the numbers."""
    parallelism, training, gpus = job.spec.parallelism, job.spec.training, job.spec.compute.gpus
    processes = parallelism.processes_per_node or max(gpus, 1)
    if gpus and processes > gpus:
        return Verdict(
            "InvalidPlan",
            f"spec.parallelism.processesPerNode {processes} is more than spec.compute.gpus {gpus}:"
            " each process needs a GPU of its own",
        )
    world = parallelism.nodes * processes
    per_device = training.per_device_batch_size or _chosen_batch(training.global_batch_size, world)
    if training.global_batch_size % (world * per_device):
        return Verdict("InvalidPlan", _indivisible(job, world, processes))
    return Layout(
        nodes=parallelism.nodes,
        processes_per_node=processes,
        strategy=_strategy(parallelism.strategy, world),
        per_device_batch_size=per_device,
        gradient_accumulation_steps=training.global_batch_size // (world * per_device),
    )


def plan_run(job: FineTuneJob, layout: Layout, lineage: Lineage, around: Surroundings) -> TrainPlan:
    """The plan of a job that no policy stands against."""
    beginning = begin(job, lineage, output_folder(job), around.storage)
    files = [locate_file(data.uri, index, around.storage) for index, data in enumerate(job.spec.datasets)]
    folder = output_folder(job)
    document = TrainDocument(
        name=job.metadata.name,
        namespace=namespace_of(job),
        uid=uid_of(job),
        model=beginning.model,
        start=beginning.start,
        datasets=[
            ResolvedDataset(**data.model_dump(), path=file.path)
            for data, file in zip(job.spec.datasets, files, strict=True)
        ],
        task=job.spec.task,
        tuner=tuner_of(job, lineage),
        template=job.spec.template,
        training=job.spec.training,
        checkpoints=job.spec.checkpoints,
        nodes=layout.nodes,
        processes_per_node=layout.processes_per_node,
        strategy=layout.strategy,
        per_device_batch_size=layout.per_device_batch_size,
        gradient_accumulation_steps=layout.gradient_accumulation_steps,
        use_gpu=job.spec.compute.gpus > 0,
        output_dir=OUTPUT_ROOT,
        artifact_uri=artifact_uri(around.storage.artifacts_claim, f"{folder}/artifact"),
        export_uri=job.spec.export and written_uri(job.spec.export.uri, own_name(job), "artifact"),
        copies_uri=job.spec.checkpoints.uri and written_uri(job.spec.checkpoints.uri, own_name(job), "checkpoints"),
    )
    inputs = (*beginning.mounts, *(mount for file in files for mount in file.mounts))
    mounts = (*inputs, output(around.storage.artifacts_claim, folder))
    port = planned_port(namespace_of(job), job.metadata.name, FIRST_RENDEZVOUS_PORT, RENDEZVOUS_PORTS)
    return TrainPlan(layout, document, mounts, folder, port, lineage)


def output_folder(job: FineTuneJob) -> str:
    """Folder of a run on the artifacts volume. The uid keeps a new resource of an old name from its predecessor's."""
    return f"{namespace_of(job)}/finetunejobs/{own_name(job)}"


def own_name(job: FineTuneJob) -> str:
    """What a run's places are called, in a namespace and in object storage."""
    return f"{job.metadata.name}-{uid_of(job)[:8]}"


def _strategy(wanted: str, world: int) -> PlannedStrategy:
    if wanted == "auto":
        return "ddp" if world == 1 else "zero2"
    return wanted  # type: ignore[return-value]


def _chosen_batch(global_batch: int, world: int) -> int:
    rows = max(global_batch // world, 1)
    return next(size for size in range(min(rows, LARGEST_CHOSEN_BATCH), 0, -1) if rows % size == 0)


def _indivisible(job: FineTuneJob, world: int, processes: int) -> str:
    training, nodes = job.spec.training, job.spec.parallelism.nodes
    per_device = training.per_device_batch_size
    step = world * (per_device or 1)
    below = training.global_batch_size // step * step
    near = " or ".join(str(size) for size in (below, below + step) if size)
    factor = f" x {per_device} rows per process" if per_device else ""
    return (
        f"spec.training.globalBatchSize {training.global_batch_size} is not divisible by {step}"
        f" ({nodes} nodes x {processes} processes{factor}); use {near}"
    )
