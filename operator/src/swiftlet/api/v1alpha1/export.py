"""Where a run's artifact goes beyond the artifacts volume."""

from pydantic import Field

from swiftlet.api.base import ApiModel
from swiftlet.api.v1alpha1.uris import ARTIFACT_FORMS_MARKED, ArtifactUri


class Export(ApiModel):
    """A copy of the artifact that others read: status.artifact names it, and the run has succeeded when it is whole."""

    uri: ArtifactUri = Field(
        description=f"{ARTIFACT_FORMS_MARKED}. Each run writes to a folder of its own below a prefix; in a registry to"
        " the tag, which then moves, or without one to a tag of the run's own. A container of its own writes it, which"
        " alone has the credentials."
    )
