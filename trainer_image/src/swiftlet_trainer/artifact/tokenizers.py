"""The files of a tokenizer, which an artifact has from its base, byte for byte."""

import shutil
from pathlib import Path

from swiftlet_trainer.models.digest import file_digest

TOKENIZER_FILES = (
    "tokenizer*",
    "special_tokens_map.json",
    "added_tokens.json",
    "chat_template.*",
    "additional_chat_templates",
    "vocab.*",
    "merges.txt",
    "*.model",
)
"""What transformers reads a tokenizer and its chat templates from, by name."""


def copy_tokenizer(source: Path, folder: Path) -> None:
    """The source's own files: a tokenizer in memory has been given what training needs of it."""
    for pattern in TOKENIZER_FILES:
        for file in source.glob(pattern):
            (shutil.copytree if file.is_dir() else shutil.copyfile)(file, folder / file.name)


def tokenizer_problems(adapter: Path, base: Path) -> list[str]:
    """Where the tokenizer that an adapter was trained with is not the one that its base has now: its tokens, or the
    template that makes them of turns, would mean something else."""
    there, here = _digests(adapter), _digests(base)
    return [
        f"{adapter / name}: {_shown(there.get(name))}, but {base / name} is {_shown(here.get(name))}: the adapter was "
        "trained with another tokenizer; use the base as it was, or train again from this one"
        for name in sorted({*there, *here})
        if there.get(name) != here.get(name)
    ]


def _digests(folder: Path) -> dict[str, str]:
    named = {file for pattern in TOKENIZER_FILES for file in folder.glob(pattern)}
    files = {one for file in named for one in (file.rglob("*") if file.is_dir() else [file]) if one.is_file()}
    return {file.relative_to(folder).as_posix(): file_digest(file) for file in files}


def _shown(digest: str | None) -> str:
    return f"sha256:{digest[:12]}…" if digest else "not there"
