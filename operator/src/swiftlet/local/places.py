"""What the local engine can do, and where it finds models."""

from collections.abc import Mapping
from pathlib import Path

from swiftlet.api.v1alpha1.computeprofile import ComputeProfileSpec
from swiftlet.kinds.frame.capabilities import Capabilities

DEFAULT_STATE = Path(".swiftlet")
MODELS_CLAIM = "swiftlet-models"
"""The claim that stands for the machine's mirror of hf:// models."""
MIRROR_VARIABLE = "SWIFTLET_HF_MIRROR"


def local_capabilities() -> Capabilities:
    """The same for every local engine, so that `swiftlet plan` shows what `swiftlet run` would do."""
    return Capabilities(
        host_paths=True,
        max_replicas=1,
        provisions_claims=True,
        reads_secrets=True,
        runs_containers=False,
        extra_backends=False,
        shared_network=True,
        service_url="http://127.0.0.1:{port}/v1",
        default_profile=ComputeProfileSpec.model_validate({"storage": {"modelsClaim": MODELS_CLAIM}, "resources": {}}),
    )


def models_mirror(environ: Mapping[str, str]) -> Path:
    """The folder of hf:// models: $SWIFTLET_HF_MIRROR, or ~/.cache/swiftlet/models."""
    named = environ.get(MIRROR_VARIABLE)
    return Path(named).absolute() if named else Path.home() / ".cache" / "swiftlet" / "models"
