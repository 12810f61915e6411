"""ModelDeployment: one served model with adapters, behind an OpenAI-compatible API."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from swiftlet.api.base import MOST_CHARACTERS, ApiModel, Column, Condition, NamedRef, Resource, Rule, one_of
from swiftlet.api.names import DataKey, ObjectName
from swiftlet.api.v1alpha1.agents import AgentTemplateName
from swiftlet.api.v1alpha1.compute import Compute
from swiftlet.api.v1alpha1.engines.registry import AUTO, ENGINES, EngineName, engines_that
from swiftlet.api.v1alpha1.engines.rules import deployment_rules, engine_rules
from swiftlet.api.v1alpha1.engines.vllm_block import DRAFT_FIELD, DraftModel, Vllm
from swiftlet.api.v1alpha1.finetunejob_status import Failure
from swiftlet.api.v1alpha1.network_peer import NetworkPeer
from swiftlet.api.v1alpha1.queue import Queue
from swiftlet.api.v1alpha1.uris import MODEL_FORMS_MARKED, ModelUri

ServedName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][-._/A-Za-z0-9]*$", min_length=1, max_length=128)]
ParserName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][-._A-Za-z0-9]*$", min_length=1, max_length=64)]

GateNeed = Literal["Required", "Exempt"]
GATE = Field(
    None,
    description="Required (when absent): where `requires` names EvalRuns, one of them must have measured these very "
    "bytes; the base of a measured adapter counts as measured. Exempt: it is served without.",
)


class DeployedModel(ApiModel):
    """The model to serve. A FineTuneJob's adapter is served beside its base."""

    rules: ClassVar[tuple[Rule, ...]] = (one_of("fineTuneJobRef", "uri"),)

    fine_tune_job_ref: NamedRef | None = None
    uri: ModelUri | None = Field(None, description=f"{MODEL_FORMS_MARKED}.")
    gate: GateNeed | None = GATE


class Adapter(ApiModel):
    """One more adapter of the same base."""

    rules: ClassVar[tuple[Rule, ...]] = (one_of("fineTuneJobRef", "uri"),)

    name: ServedName = Field(description="Model name that clients ask for.")
    fine_tune_job_ref: NamedRef | None = None
    uri: ModelUri | None = Field(None, description=f"{MODEL_FORMS_MARKED}.")
    gate: GateNeed | None = GATE


class Requirement(ApiModel):
    """What must hold before the model is served."""

    eval_run_ref: NamedRef = Field(description="EvalRun whose gates must have passed, on what is served.")


TAKING = engines_that(lambda engine: engine.allowed_args)
"""Which engines take arguments."""


class Engine(ApiModel):
    """The server."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            f"!has(self.args) || self.args.map(a, a.size()).sum() <= {MOST_CHARACTERS}",
            f"args may have {MOST_CHARACTERS} characters together, so that the server's document can be stored",
            "args",
        ),
        *engine_rules(),
    )

    name: EngineName = Field(
        AUTO, description=f"{AUTO} is {' where it can run, else '.join(ENGINES)}, and status says which."
    )
    max_model_length: Annotated[int, Field(ge=8, le=1048576)] = Field(
        2048, description="Longest prompt and answer together, in tokens."
    )
    args: Annotated[list[Annotated[str, Field(max_length=4096)]], Field(max_length=64)] = Field(
        default_factory=list,
        description=f"More {TAKING} arguments, in their long form: those that name no code, file or host and do not "
        f"follow from the document, and what the ComputeProfile adds in `engines.{TAKING}.allowedArgs`. Values are "
        f"checked by {TAKING}'s own parser before it starts.",
    )
    vllm: Vllm | None = None

    @property
    def draft(self) -> tuple[str, DraftModel] | None:
        """The model that proposes tokens, if there is one, and the field that names it."""
        found = self.vllm.speculative_config if self.vllm else None
        return (DRAFT_FIELD, found.model) if found and found.model else None


class SecretKeyRef(ApiModel):
    """A key of a Secret in the same namespace."""

    name: ObjectName = Field(description="Name of the Secret.")
    key: DataKey = Field(description="Key in its data.")


class ApiKey(ApiModel):
    """The key that every route but /health asks for, /metrics too. It is never written to a document, a log or an
    argument."""

    rules: ClassVar[tuple[Rule, ...]] = (one_of("secretRef", "file"),)

    secret_ref: SecretKeyRef | None = None
    file: Annotated[str, Field(min_length=1, max_length=1024)] | None = Field(
        None, description="Local path; local engine only."
    )


class Api(ApiModel):
    """The OpenAI-compatible endpoint."""

    port: Annotated[int, Field(ge=1024, le=65535)] = Field(8000, description="Port of pod and Service.")
    served_name: ServedName | None = Field(None, description="Name of the tuned model; metadata.name when absent.")
    base_served_name: ServedName | None = Field(None, description="Name of the base model; `base` when absent.")
    agent_template: AgentTemplateName | None = Field(
        None,
        description="In whose words all served names are told of tools and call them; that of each name's own training "
        "when absent, else what the model's chat template writes.",
    )
    tool_parser: ParserName | None = Field(
        None,
        description="vLLM's parser of calls, by vLLM's name; when absent that of the agent template, else of what the "
        "model's chat template writes. The transformers engine reads calls by the agent template.",
    )
    reasoning_parser: ParserName | None = Field(
        None,
        description="vLLM's parser of thoughts, by vLLM's name; when absent that of the model's family, and none for "
        "models and adapters that were trained here. The transformers engine knows thoughts by `<think>`.",
    )
    api_key: ApiKey | None = None
    allow_from: Annotated[list[NetworkPeer], Field(max_length=32)] | None = Field(
        None,
        description="Who may connect, by a NetworkPolicy; pods of the same namespace when absent, nobody when empty. "
        "The local engine listens on the loopback interface only.",
    )


class RollbackTo(ApiModel):
    """The revision to serve again."""

    revision: Annotated[int, Field(ge=1)] = Field(description="Its number in status.revisions.")


class ModelDeploymentSpec(ApiModel):
    """What to serve."""

    rules: ClassVar[tuple[Rule, ...]] = tuple(deployment_rules())

    model: DeployedModel
    adapters: Annotated[list[Adapter], Field(max_length=64)] = Field(
        default_factory=list, description="More adapters of the same base, each under a name of its own."
    )
    requires: Annotated[list[Requirement], Field(max_length=16)] = Field(
        default_factory=list, description="What must hold before the model is served."
    )
    engine: Engine = Field(default_factory=Engine)
    api: Api = Field(default_factory=Api)
    replicas: Annotated[int, Field(ge=0, le=1000)] = Field(
        1,
        description="Pods; the local engine runs at most one. It is asked of the Deployment when it changes, so an "
        "autoscaler of either may set its own.",
    )
    compute: Compute = Field(default_factory=Compute)
    queue: Queue | None = Field(
        None,
        description="Queue of Kueue in which each pod waits for quota of its own. It cannot be changed while a pod is"
        " ready, nor taken away.",
    )
    rollback_to: RollbackTo | None = Field(
        None,
        description="Serves a revision of the history as it was, gates and all, until this is removed; then the spec "
        "is rolled out. `replicas` and `api.allowFrom` count meanwhile.",
    )
    revision_history_limit: Annotated[int, Field(ge=0, le=100)] = Field(
        10, description="Old revisions that are kept to go back to, beside those that have pods."
    )


class RevisionStatus(ApiModel):
    """What one rollout makes pods from: another one for each change of what is served, and how."""

    revision: int = Field(description="Its number; what is served anew after another one gets a new number.")
    model_digest: str | None = Field(None, description="Digest of the artifact that it serves, where known.")
    served_names: list[str] = Field(default_factory=list, description="Names that it answers to.")
    image: str | None = Field(None, description="Image of its pods.")
    ready_at: str | None = Field(
        None, description="When all of its pods first were ready; absent while they never were."
    )
    ready_replicas: int = Field(0, description="Its pods in which every served name has answered.")


class ModelDeploymentStatus(ApiModel):
    """What was observed."""

    observed_generation: int | None = Field(None, description="Generation of the spec that this was observed for.")
    conditions: list[Condition] = Field(default_factory=list, description="What holds, and why; by type.")
    replicas: int = Field(0, description="Pods that exist.")
    selector: str | None = Field(None, description="Labels of the pods, as autoscalers select them.")
    ready_replicas: int = Field(0, description="Pods in which every served name has answered.")
    engine: str | None = Field(None, description="Engine that runs.")
    quantization: str | None = Field(None, description="How the served checkpoint is quantized, if it is.")
    task: str | None = Field(
        None,
        description="What is done with texts, in vLLM's words: `generate`, `embed` (vectors) or `classify` (scores).",
    )
    served_names: list[str] = Field(default_factory=list, description="Names that clients may ask for.")
    url: str | None = Field(None, description="Where the API answers.")
    model_digest: str | None = Field(None, description="Digest of the artifact that is served.")
    current_revision: int | None = Field(None, description="The last revision that was rolled out to all pods.")
    update_revision: int | None = Field(None, description="The revision that is asked for: all pods become this one.")
    revisions: list[RevisionStatus] = Field(default_factory=list, description="The history, oldest first.")
    failure: Failure | None = None
    progress: str | None = Field(None, description="What the server is doing until it is ready.")


class ModelDeployment(Resource):
    """One served model: waits for its gates, serves base and adapters by name."""

    kind_name: ClassVar[str] = "ModelDeployment"
    plural: ClassVar[str] = "modeldeployments"
    short_name: ClassVar[str] = "mdep"
    summary_condition: ClassVar[str] = "Ready"
    scalable: ClassVar[bool] = True
    columns: ClassVar[tuple[Column, ...]] = (
        Column("Ready", '.status.conditions[?(@.type=="Ready")].status'),
        Column("Reason", '.status.conditions[?(@.type=="Ready")].reason'),
        Column("Replicas", ".status.readyReplicas", "integer"),
        Column("Revision", ".status.currentRevision", "integer"),
        Column("Engine", ".status.engine"),
        Column("URL", ".status.url"),
        Column("Models", ".status.servedNames", wide=True),
        Column("Age", ".metadata.creationTimestamp", "date"),
    )

    kind: Literal["ModelDeployment"] = "ModelDeployment"
    spec: ModelDeploymentSpec
    status: ModelDeploymentStatus | None = None
