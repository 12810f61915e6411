"""Token ids beside the rows of a model's embedding: a tokenizer that was given more tokens has ids with no row."""

import json
from pathlib import Path
from typing import Any


def embedding_rows(folder: Path) -> int | None:
    """Rows of the embedding of the model in `folder`, from its config.json; None when the file does not say."""
    return _size(folder, "vocab_size")


def hidden_size(folder: Path) -> int | None:
    """Length of the hidden states of the model in `folder`; the same way."""
    return _size(folder, "hidden_size")


def _size(folder: Path, name: str) -> int | None:
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    text = config.get("text_config") or {}
    found: int | None = text.get(name, config.get(name))
    return found


def id_problem(largest: int, rows: int | None, tokenizer: Any) -> str | None:
    """Why texts whose largest token id is `largest` cannot be given to a model of so many rows, if they cannot."""
    if rows is None or largest < rows:
        return None
    last = max(tokenizer.get_vocab().values())
    return (
        f"the text has token {tokenizer.convert_ids_to_tokens(largest)!r} of id {largest}, the tokenizer ids up to "
        f"{last}, and the embedding {rows} rows; call resize_token_embeddings({last + 1}) and save the model, "
        "or use the tokenizer that it came with"
    )


def padding_id(tokenizer: Any, rows: int | None) -> int:
    """An id to pad with: the tokenizer's own, if the embedding has it; else any, since padding never counts."""
    pad = tokenizer.pad_token_id
    return 0 if pad is None or (rows is not None and pad >= rows) else int(pad)
