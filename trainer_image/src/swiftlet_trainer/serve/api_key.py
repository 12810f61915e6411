"""The API key of a server: where it is read, and what asks for it. Importing this costs nothing."""

from swiftlet.wire.documents import ServeDocument

from swiftlet_trainer.paths import in_pod

KEY_VARIABLE = "SWIFTLET_API_KEY"
"""Carries the key into vLLM's process."""
MIDDLEWARE = "swiftlet_trainer.serve.require_key.RequireKey"
"""Asks for it on both engines."""


def read_api_key(document: ServeDocument) -> str | None:
    """The key; None for a server without. Raises OSError and UnicodeDecodeError."""
    return in_pod(document.api_key_file).read_text(encoding="utf-8").strip() if document.api_key_file else None
