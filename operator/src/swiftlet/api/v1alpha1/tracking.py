"""Experiment trackers that a FineTuneJob or EvalRun reports to. Their names are those of transformers' `report_to`."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from swiftlet.api.base import ApiModel, NamedRef, Rule, ShortText
from swiftlet.api.v1alpha1.profile_environment import URL

SECRET_KEYS: Mapping[str, tuple[str, ...]] = {
    "mlflow": ("MLFLOW_TRACKING_TOKEN", "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"),
    "wandb": ("WANDB_API_KEY",),
    "swanlab": ("SWANLAB_API_KEY",),
}
"""By tracker: keys of its Secret, and the variables that its client reads them from. MLflow takes a token, or a user
with a password; of the others each key has to be there. Source: their documentation of environment variables."""
ANY_OF = frozenset({"mlflow"})
"""Trackers whose Secret has some of the keys."""

Address = Annotated[str, Field(pattern=URL, max_length=1024)]
Mode = Literal["online", "offline"]
MODE = "online posts as the run goes; offline leaves files in the run's folder, for `{} sync`."


def _key_when_online(secret: str) -> Rule:
    return Rule(
        "has(self.secretRef) || (has(self.mode) && self.mode == 'offline')",
        f"set secretRef to a Secret with the key {secret}, or mode: offline",
        "secretRef",
    )


class TensorBoard(ApiModel):
    """Event files in the folder `tensorboard` of the run's folder."""


class MLflow(ApiModel):
    """A run of an MLflow server."""

    tracking_uri: Address = Field(description="Address of the server, such as http://mlflow.mlops.svc:5000.")
    experiment: ShortText = Field("swiftlet", description="Experiment, which is made when it is missing.")
    secret_ref: NamedRef | None = Field(
        None,
        description="Secret in the job's namespace with MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and "
        "MLFLOW_TRACKING_PASSWORD.",
    )


class Wandb(ApiModel):
    """A run of Weights & Biases."""

    rules: ClassVar[tuple[Rule, ...]] = (_key_when_online("WANDB_API_KEY"),)

    project: ShortText = Field("swiftlet", description="Project.")
    entity: ShortText | None = Field(None, description="User or team; that of the key when absent.")
    base_url: Address | None = Field(None, description="Address of a server of one's own; the public one when absent.")
    mode: Mode = Field("online", description=MODE.format("wandb"))
    secret_ref: NamedRef | None = Field(None, description="Secret in the job's namespace with WANDB_API_KEY.")


class SwanLab(ApiModel):
    """A run of SwanLab."""

    rules: ClassVar[tuple[Rule, ...]] = (_key_when_online("SWANLAB_API_KEY"),)

    project: ShortText = Field("swiftlet", description="Project.")
    workspace: ShortText | None = Field(None, description="Workspace; that of the key when absent.")
    host: Address | None = Field(None, description="Address of a server of one's own; the public one when absent.")
    mode: Mode = Field("online", description=MODE.format("swanlab"))
    secret_ref: NamedRef | None = Field(None, description="Secret in the job's namespace with SWANLAB_API_KEY.")


class ReportTo(ApiModel):
    """Trackers that get the figures of the run. None of them can hold it up or fail it."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "has(self.tensorboard) || has(self.mlflow) || has(self.wandb) || has(self.swanlab)",
            "name a tracker: tensorboard, mlflow, wandb or swanlab; or remove reportTo",
        ),
    )

    tensorboard: TensorBoard | None = None
    mlflow: MLflow | None = None
    wandb: Wandb | None = None
    swanlab: SwanLab | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Those that are asked for."""
        return tuple(name for name in type(self).model_fields if getattr(self, name) is not None)

    @property
    def secrets(self) -> dict[str, str]:
        """Name of the Secret by tracker, of those that have one."""
        refs = {name: getattr(getattr(self, name), "secret_ref", None) for name in self.names}
        return {name: ref.name for name, ref in refs.items() if ref is not None}

    def words(self) -> str:
        """What is asked for, in one line without anything secret."""
        where = {
            "tensorboard": "files in the run's folder",
            "mlflow": self.mlflow and f"{self.mlflow.tracking_uri}, experiment {self.mlflow.experiment}",
            "wandb": self.wandb and f"{self.wandb.mode}, project {self.wandb.project}",
            "swanlab": self.swanlab and f"{self.swanlab.mode}, project {self.swanlab.project}",
        }
        return "; ".join(f"{name} ({where[name]})" for name in self.names)
