"""A URI, taken apart."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Uri:
    """A parsed URI.

    scheme: name of the scheme. authority: what holds it, such as a claim, or `org/name`; empty for a local path.
    path: of the file or folder in it. revision: of what the authority names, where the scheme has such.
    """

    scheme: str
    authority: str
    path: str
    revision: str | None = None
