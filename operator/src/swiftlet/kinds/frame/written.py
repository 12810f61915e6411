"""Job documents as they are written."""

from functools import cached_property
from typing import Any

from swiftlet.wire.version import Wire


class Written:
    """A plan with a job document, which rendering and digesting both want written."""

    document: Wire

    @cached_property
    def content(self) -> dict[str, Any]:
        """The document as it is written; shared, so nobody may change it."""
        return self.document.document()
