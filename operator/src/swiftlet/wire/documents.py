"""Job documents: what the control plane hands to a pod, mounted as `/swiftlet/job/job.json`.

A job document is the resource's spec with every reference resolved: each URI has become a path inside the pod. Every
path is absolute and is opened below `$SWIFTLET_ROOT`: `/` in a container, the pod's own folder under the local engine.
"""

from typing import Annotated, Literal

from pydantic import Field

from swiftlet.api.base import ApiModel
from swiftlet.api.v1alpha1.agents import AgentTemplateName
from swiftlet.api.v1alpha1.dataset import Dataset
from swiftlet.api.v1alpha1.engines.registry import EngineName
from swiftlet.api.v1alpha1.engines.vllm_block import Vllm
from swiftlet.api.v1alpha1.finetunejob import Checkpoints, Template
from swiftlet.api.v1alpha1.suites import Suite
from swiftlet.api.v1alpha1.tasks import Task
from swiftlet.api.v1alpha1.tracking import ReportTo
from swiftlet.api.v1alpha1.training import Training
from swiftlet.api.v1alpha1.tuner import Tuner
from swiftlet.storage.artifacts import ARTIFACT_FORM
from swiftlet.wire.version import Since, Wire

JOB_FILE = "/swiftlet/job/job.json"
"""Where the job document is mounted."""
DATA_ROOT = "/swiftlet/data"
MODELS_ROOT = "/swiftlet/models"
"""Where the mirror of hf:// models is mounted: `org/name` or `org/name@revision` below it."""
ARTIFACTS_ROOT = "/swiftlet/artifacts"
"""Where the artifacts volume is mounted, to read models, adapters and data of other runs from."""
OUTPUT_ROOT = "/swiftlet/output"
"""Where a run's own folder on the artifacts volume is mounted: all of that volume that it can write to."""
MERGED_FOLDER = "merged"
"""Below a run's own folder: the model that it starts from, where an adapter was merged into it."""
RUN_ROOT = "/swiftlet/run"
"""An emptyDir of the pod: progress stream, scratch."""
SECRETS_ROOT = "/swiftlet/secrets"
READY_PATH = "/readyz"
"""On a server's health port: 200 once every served name has answered a token."""
LIVE_PATH = "/livez"
"""On a server's health port: 200 while the engine's process lives."""


class ResolvedModel(ApiModel):
    """A model to load: a folder in the pod, or a repository of the hub."""

    uri: str = Field(description="As the document named it.")
    path: str | None = Field(None, description="Folder in the pod.")
    repo_id: str | None = Field(None, description="Hub repository, when no mirror holds the model.")
    revision: str | None = None
    digest: Annotated[str | None, Since("1.1")] = Field(
        None, description="Expected identity of its files: digest of an artifact's manifest, or of a model's files."
    )


class ResolvedDataset(Dataset):
    """A data set and where its file lies in the pod."""

    path: str = Field(description="File in the pod.")


class ResolvedStart(ApiModel):
    """Another run's adapter that a run starts from: it is trained further, or merged first."""

    adapter: ResolvedModel
    merge_into: ResolvedModel | None = Field(
        None,
        description="Base of an adapter that is merged; model is then where the sum is written to, and loaded from.",
    )


class TrainDocument(Wire):
    """One training run."""

    kind: Literal["TrainDocument"] = "TrainDocument"
    name: str
    namespace: str
    uid: str
    model: ResolvedModel
    start: Annotated[ResolvedStart | None, Since("1.1")] = None
    datasets: list[ResolvedDataset]
    task: Task
    tuner: Tuner
    template: Template
    training: Training
    checkpoints: Checkpoints
    nodes: int
    processes_per_node: int
    strategy: Literal["ddp", "zero1", "zero2", "zero3"]
    per_device_batch_size: int
    gradient_accumulation_steps: int
    use_gpu: bool
    output_dir: str = Field(description="The run's own folder: checkpoints/, artifact/, report/ go below it.")
    artifact_uri: str = Field(description=f"`{ARTIFACT_FORM}` that outside readers know output_dir/artifact by.")
    export_uri: Annotated[str | None, Since("1.1")] = Field(
        None, description="Where another container writes the artifact to; its message then tells of it."
    )
    copies_uri: Annotated[str | None, Since("1.1")] = Field(
        None, description="Where another container keeps copies of the checkpoints."
    )


class ResolvedSubject(ApiModel):
    """A model to score."""

    model: ResolvedModel
    adapter_path: str | None = Field(None, description="Adapter folder in the pod.")
    digest: str | None = Field(None, description="Expected digest of the artifact's manifest.")


class ResolvedSuite(Suite):
    """A suite and where its file lies in the pod."""

    name: str  # type: ignore[assignment]
    path: str


class EvaluateDocument(Wire):
    """One evaluation."""

    kind: Literal["EvaluateDocument"] = "EvaluateDocument"
    name: str
    namespace: str
    uid: str
    target: ResolvedSubject
    baseline: ResolvedSubject | None = None
    suites: list[ResolvedSuite]
    batch_size: int
    seed: int
    use_gpu: bool
    output_dir: str = Field(description="The run's own folder, for rows.jsonl, results.json and report.html.")
    report_uri: str
    attach_uri: Annotated[str | None, Since("1.1")] = Field(
        None, description="The target in its registry, to which another container attaches results and report."
    )
    report_to: Annotated[ReportTo | None, Since("1.1")] = None
    fine_tune_job: Annotated[str | None, Since("1.1")] = Field(
        None, description="Name of the FineTuneJob that made the target, for trackers."
    )


class ServedAdapter(ApiModel):
    """An adapter to load beside the model."""

    name: str
    path: str
    digest: str | None = None


class ResolvedVllm(Vllm):
    """What vLLM is started with: on GPUs with the size of tensor parallelism, and where its draft model lies."""

    draft: ResolvedModel | None = None

    @property
    def gpus(self) -> int:
        """On how many it is."""
        return (self.tensor_parallel_size or 1) * (self.pipeline_parallel_size or 1) * (self.data_parallel_size or 1)


class ServeDocument(Wire):
    """One server."""

    kind: Literal["ServeDocument"] = "ServeDocument"
    name: str
    namespace: str
    model: ResolvedModel
    model_names: list[str] = Field(description="Names that the model itself answers to.")
    adapters: list[ServedAdapter] = Field(default_factory=list)
    engine: EngineName
    engine_args: list[str] = Field(default_factory=list)
    vllm: Annotated[ResolvedVllm | None, Since("1.1")] = None
    agent_template: Annotated[AgentTemplateName | None, Since("1.1")] = None
    tool_parser: Annotated[str | None, Since("1.1")] = None
    reasoning_parser: Annotated[str | None, Since("1.1")] = None
    max_model_length: int
    port: int
    health_port: int = Field(description=f"Serves {READY_PATH} (each name has answered a token) and {LIVE_PATH}.")
    api_key_file: str | None = Field(None, description="File in the pod.")
    use_gpu: bool

    @property
    def draft(self) -> ResolvedModel | None:
        """The model that proposes tokens, if there is one."""
        return self.vllm.draft if self.vllm else None

    @property
    def gpus(self) -> int:
        """On how many it computes."""
        return self.vllm.gpus if self.vllm else int(self.use_gpu)


JobDocument = TrainDocument | EvaluateDocument | ServeDocument
