"""The API: resources as types, and the contracts between the control plane and the pods."""

from swiftlet_0_1_0.api.base import API_VERSION, GROUP, VERSION, ApiModel, Column, Condition, ObjectMeta, Resource, Rule
from swiftlet_0_1_0.api.computeprofile import ComputeProfile, ComputeProfileSpec
from swiftlet_0_1_0.api.evalrun import EvalRun, EvalRunSpec, EvalRunStatus
from swiftlet_0_1_0.api.finetunejob import FineTuneJob, FineTuneJobSpec, FineTuneJobStatus
from swiftlet_0_1_0.api.modeldeployment import ModelDeployment, ModelDeploymentSpec, ModelDeploymentStatus

KINDS: dict[str, type[Resource]] = {
    kind.kind_name: kind for kind in (FineTuneJob, EvalRun, ModelDeployment, ComputeProfile)
}
"""Every kind by its name."""

__all__ = [
    "API_VERSION",
    "GROUP",
    "KINDS",
    "VERSION",
    "ApiModel",
    "Column",
    "ComputeProfile",
    "ComputeProfileSpec",
    "Condition",
    "EvalRun",
    "EvalRunSpec",
    "EvalRunStatus",
    "FineTuneJob",
    "FineTuneJobSpec",
    "FineTuneJobStatus",
    "ModelDeployment",
    "ModelDeploymentSpec",
    "ModelDeploymentStatus",
    "ObjectMeta",
    "Resource",
    "Rule",
]
