"""The URIs of what runs leave: a path on the profile's artifacts claim."""

from swiftlet.storage.pvc import Claim
from swiftlet.storage.uri import Uri

ARTIFACT_FORM = f"{Claim.name}://claim/path"
"""As people are told to read it."""


def artifact_uri(claim: str, path: str) -> str:
    """URI of what lies at `path` of the artifacts claim."""
    return f"{Claim.name}://{claim}/{path}"


def may_be_artifact(uri: Uri, claim: str) -> bool:
    """Whether a run may have left it: it lies on the artifacts claim."""
    return (uri.scheme, uri.authority) == (Claim.name, claim)
