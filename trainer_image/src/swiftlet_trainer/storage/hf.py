"""hf://: a model's repository, from the Hugging Face hub into its cache."""

from pathlib import Path

from swiftlet.wire.documents import ResolvedModel

from swiftlet_trainer.artifact.identity import LOADED
from swiftlet_trainer.artifact.model_card import MODEL_CARD
from swiftlet_trainer.failures import InvalidInput

FETCHED = (*LOADED, MODEL_CARD)
"""Nothing reads the card, but an artifact's manifest lists it."""


def fetch(model: ResolvedModel) -> Path:
    """The snapshot's folder. Raises InvalidInput when the hub does not have it or cannot be reached."""
    if model.repo_id is None:
        raise InvalidInput([f"model {model.uri}: neither path nor repoId; plan the job again"])
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled

    try:
        return Path(snapshot_download(model.repo_id, revision=model.revision, allow_patterns=list(FETCHED)))
    except (HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled, OSError, ValueError) as error:
        cause = str(error).strip().splitlines()[0]
        raise InvalidInput(
            [
                f"model {model.uri}: not in the mirror and not to be had from the hub ({cause}); "
                f"put its folder into the mirror as {model.repo_id}"
            ]
        ) from None
