"""Names that Kubernetes gives a form: a document that keeps to them is not refused later, when a child is made of it.

Source: apimachinery, pkg/util/validation; kubernetes, pkg/apis/core/validation. Patterns are those of RE2.
"""

from typing import Annotated

from pydantic import Field

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
"""Name of an object (RFC 1123 subdomain), such as a Secret, a ConfigMap or a claim; up to 253 characters."""
_PART = r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"

SUBDOMAIN_PATTERN = f"^{SUBDOMAIN}$"
KEY_PATTERN = r"^([-_a-zA-Z0-9]|\.[-_a-zA-Z0-9])[-._a-zA-Z0-9]*$"
"""Key of a ConfigMap or Secret: not `.`, and `..` does not begin it."""
LABEL_KEY_PATTERN = rf"^({SUBDOMAIN}/)?{_PART}$"
LABEL_VALUE_PATTERN = rf"^({_PART})?$"
DEVICE_PATTERN = rf"^{SUBDOMAIN}/{_PART}$"
RESOURCE_PATTERN = rf"^(cpu|memory|ephemeral-storage|hugepages-[1-9][0-9]*[KMGT]i|{SUBDOMAIN}/{_PART})$"
IMAGE_PATTERN = r"^[A-Za-z0-9\[][-A-Za-z0-9._:/@\[\]]*$"

PATTERNS = {
    SUBDOMAIN_PATTERN: (
        "is not a name",
        "use lower-case letters, digits, - and ., with a letter or digit at both ends and around each .",
    ),
    KEY_PATTERN: ("is not a key", "use letters, digits, -, _ and ., without .. at its beginning"),
    LABEL_KEY_PATTERN: ("is not the key of a label", "write name or domain/name"),
    LABEL_VALUE_PATTERN: ("is not the value of a label", "use up to 63 letters, digits, -, _ and ."),
    DEVICE_PATTERN: ("is not a device", "write domain/name, such as nvidia.com/gpu"),
    IMAGE_PATTERN: ("is not an image", "write registry/name:tag or registry/name@digest, without spaces"),
}
"""What is told of a text that does not match: the rule, and the remedy."""

ObjectName = Annotated[str, Field(pattern=SUBDOMAIN_PATTERN, min_length=1, max_length=253)]
DataKey = Annotated[str, Field(pattern=KEY_PATTERN, min_length=1, max_length=253)]
LabelKey = Annotated[str, Field(pattern=LABEL_KEY_PATTERN, min_length=1, max_length=317)]
LabelValue = Annotated[str, Field(pattern=LABEL_VALUE_PATTERN, max_length=63)]
DeviceName = Annotated[str, Field(pattern=DEVICE_PATTERN, min_length=3, max_length=253)]
ImageName = Annotated[str, Field(pattern=IMAGE_PATTERN, min_length=1, max_length=512)]


def quoted(pattern: str) -> str:
    """A pattern as a text of CEL, which reads a backslash as the beginning of an escape."""
    return "'" + pattern.replace("\\", "\\\\") + "'"
