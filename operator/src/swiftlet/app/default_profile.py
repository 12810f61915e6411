"""The profile of resources that name none, where the cluster has no ComputeProfile `default`: from the release's file.

So nothing has to be created at installation, when the API server may not serve the kind yet, and the operator needs no
right to write ComputeProfiles. The same document can be applied as a ComputeProfile, which then goes before it.
"""

from pathlib import Path

from swiftlet.api.schema.defaulting import defaulted
from swiftlet.api.schema.problems import InvalidDocuments
from swiftlet.api.v1alpha1.computeprofile import ComputeProfile, ComputeProfileSpec
from swiftlet.app.errors import StartError
from swiftlet.documents.read import read_documents


def default_profile(file: Path | None) -> ComputeProfileSpec:
    """The ComputeProfile of a file, by all rules of the API; without a file one that says nothing.

    Raises StartError with every problem.
    """
    if file is None:
        return ComputeProfileSpec()
    try:
        documents = read_documents([file])
    except InvalidDocuments as error:
        raise StartError(f"--default-profile: {error}") from error
    if [document.kind for document in documents] != [ComputeProfile.kind_name]:
        raise StartError(f"--default-profile {file}: it must hold one {ComputeProfile.kind_name} and nothing else")
    return ComputeProfile.model_validate(defaulted(documents[0].object)).spec
