"""Files and folders that documents name: whether they are there, and are what they are named as."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from swiftlet.api.schema.problems import Problem, shown
from swiftlet.api.schema.validation import nearest
from swiftlet.api.v1alpha1.uris import DATA_ENDINGS, parse_uri, scheme_of
from swiftlet.documents.document import Document, NamedUri, Use
from swiftlet.documents.localpaths import local_path

MARKS = {Use.MODEL: "config.json", Use.ADAPTER: "adapter_config.json"}
"""The file that makes a folder a model or an adapter. Sources: transformers, PEFT."""
_SHOWN_NAMES = 8


def named_file_problems(document: Document) -> Iterator[Problem]:
    """Problems of the local paths of one document, and of the endings of its data files wherever they lie.

    hf:// and pvc:// are looked for by `swiftlet run` alone: a document may be meant for a cluster, which has them.
    """
    for named in document.uris:
        if found := _local_problem(named, document.folder) or ending_problem(named):
            rule, remedy = found
            yield document.problem(named.at, rule, remedy, shown(named.text))


def ending_problem(named: NamedUri) -> tuple[str, str] | None:
    """Rule and remedy when no reader takes a data file of this name; None when one does, or it is no data file."""
    if named.use is not Use.DATA:
        return None
    ending = PurePosixPath(parse_uri(named.text).path).suffix
    if ending.lower() in DATA_ENDINGS:
        return None
    rule = f"ends in {ending}, which no reader takes" if ending else "has no ending, by which a reader is chosen"
    return rule, f"data is read from {', '.join(DATA_ENDINGS)}"


def _local_problem(named: NamedUri, folder: Path) -> tuple[str, str] | None:
    if named.use is Use.KEY:
        return path_problem(local_path(named.text, folder), named.use)
    uri = parse_uri(named.text)
    return path_problem(local_path(uri.path, folder), named.use) if scheme_of(uri).is_local else None


def path_problem(path: Path, use: Use) -> tuple[str, str] | None:
    """Rule and remedy when `path` cannot be used as what it is named as; None when it can, as far as a look tells."""
    try:
        if not path.exists():
            return ("is a link to nothing" if path.is_symlink() else "does not exist"), _instead_of(path, use)
        if not os.access(path, os.R_OK | (os.X_OK if path.is_dir() else 0)):
            return f"cannot be read by this user ({path})", "give the user the right to read it"
        return _folder_problem(path, use) if use in MARKS else _file_problem(path, use)
    except OSError as error:  # a name too long, a loop of links, a folder that may not be entered
        return f"cannot be read ({path}: {error.strerror})", "correct the path"


def _file_problem(path: Path, use: Use) -> tuple[str, str] | None:
    if path.is_dir():
        held = _listed(_candidates(path, use))
        return "is a folder", f"name a file in it{f': {held}' if held else ''}"
    if path.is_file() and path.stat().st_size == 0:
        return "is empty", "write the key into it" if use is Use.KEY else "write its rows first"
    return None


def _folder_problem(path: Path, use: Use) -> tuple[str, str] | None:
    mark = MARKS[use]
    if not path.is_dir():
        return "is a file", f"name the folder that holds {mark}"
    if (path / mark).is_file():
        return None
    if use is Use.MODEL and (path / MARKS[Use.ADAPTER]).is_file():
        return "is an adapter and no model (it has no config.json)", "name its base here, and it as the adapter"
    if use is Use.ADAPTER and (path / MARKS[Use.MODEL]).is_file():
        return "is a model and no adapter (it has no adapter_config.json)", "name it as the model"
    inner = sorted(file.parent.name for file in path.glob(f"*/{mark}"))
    remedy = f"did you mean its folder {_listed(inner)}?" if inner else "name the folder that save_pretrained() wrote"
    return f"holds no {use.value} (it has no {mark})", remedy


def _instead_of(path: Path, use: Use) -> str:
    """The nearest name beside the first part of `path` that is missing, else what there is."""
    missing = path
    while not missing.parent.exists():
        missing = missing.parent
    folder = missing.parent
    if not folder.is_dir():
        return f"{folder} is a file"
    names = _candidates(folder, use) if missing == path else [one.name for one in folder.iterdir() if one.is_dir()]
    if close := nearest(missing.name, names):
        return f"did you mean {close}?"
    listed = _listed(sorted(names))
    return f"there is no {missing.name} in {folder}" + (f", which has {listed}" if listed else "")


def _candidates(folder: Path, use: Use) -> list[str]:
    """Names in a folder that the field may have been meant to name."""
    if use in MARKS:
        return sorted(one.name for one in folder.iterdir() if one.is_dir())
    files = [one for one in folder.iterdir() if one.is_file()]
    return sorted(one.name for one in files if use is Use.KEY or one.suffix.lower() in DATA_ENDINGS)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN_NAMES]) + (", …" if len(names) > _SHOWN_NAMES else "")
