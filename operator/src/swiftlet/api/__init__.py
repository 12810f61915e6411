"""The API: resources as types, and the contracts between the control plane and the pods."""

from swiftlet.api.base import API_VERSION, GROUP, VERSION, ApiModel, Column, Condition, ObjectMeta, Resource, Rule
from swiftlet.api.v1alpha1.computeprofile import ComputeProfile, ComputeProfileSpec
from swiftlet.api.v1alpha1.evalrun import EvalRun, EvalRunSpec, EvalRunStatus
from swiftlet.api.v1alpha1.finetunejob import FineTuneJob, FineTuneJobSpec
from swiftlet.api.v1alpha1.finetunejob_status import FineTuneJobStatus
from swiftlet.api.v1alpha1.modeldeployment import ModelDeployment, ModelDeploymentSpec, ModelDeploymentStatus

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
