"""Secrets and ConfigMaps as files: what each key holds."""

import base64
import binascii
from typing import Any


def encoded_secret(secret: dict[str, Any]) -> dict[str, Any]:
    """`stringData` moved into `data` as base64, as the API server does on write."""
    result = {name: value for name, value in secret.items() if name != "stringData"}
    plain = {name: base64.b64encode(text.encode()).decode() for name, text in (secret.get("stringData") or {}).items()}
    if plain:
        result["data"] = {**(secret.get("data") or {}), **plain}
    return result


def contents(document: dict[str, Any]) -> dict[str, bytes]:
    """The bytes of each key of a ConfigMap or Secret. Raises ValueError, naming the key, for bad base64."""
    secret = document["kind"] == "Secret"
    plain = {} if secret else document.get("data") or {}
    coded = document.get("data" if secret else "binaryData") or {}
    return {name: text.encode() for name, text in plain.items()} | {
        name: _decoded(document, name, text) for name, text in coded.items()
    }


def _decoded(document: dict[str, Any], name: str, text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        where = f"{document['kind']} {document['metadata']['name']}"
        raise ValueError(f"{where}: key {name} is not base64 ({error}); encode it, or use stringData") from error
