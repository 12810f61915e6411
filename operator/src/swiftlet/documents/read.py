"""Files and folders as documents."""

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from swiftlet.api import KINDS
from swiftlet.api.schema.problems import InvalidDocuments, Problem, Source, shown
from swiftlet.api.schema.validation import nearest, validate
from swiftlet.documents.document import API_VERSIONS, Document
from swiftlet.documents.kustomization import KUSTOMIZATION_FILES, read_kustomization
from swiftlet.documents.lists import LISTS, items_of
from swiftlet.documents.localpaths import uris_of, with_absolute_paths
from swiftlet.documents.namedfiles import named_file_problems
from swiftlet.documents.plain import plain_problems
from swiftlet.documents.references import reference_problems
from swiftlet.documents.yamlfile import parse_documents

STDIN = Path("-")
"""Stands for standard input. Relative paths in what is read there are relative to the working folder."""
_ENDINGS = (".yaml", ".yml", ".json")


def read_documents(
    paths: Sequence[Path],
    *,
    check: bool = True,
    existing: Iterable[Mapping[str, Any]] = (),
    also: Callable[[Sequence[Document]], list[Problem]] = lambda documents: [],
) -> list[Document]:
    """The documents of files and folders, in order; `-` is standard input.

    A folder is read by its kustomization.yaml, else it gives its *.yaml, *.yml and *.json files by name, those *.json
    that are data aside. `existing` are objects that references may also name. With `check` off, schema, rules and
    references are left to the caller. `also` finds problems that only the caller knows of.
    Raises InvalidDocuments with every problem of every file.
    """
    documents: list[Document] = []
    problems: list[Problem] = []
    for path in dict.fromkeys(paths) if STDIN in paths else paths:  # standard input can be read once
        _read(Path(path), documents, problems)
    if not documents and not problems:
        named = ", ".join(str(path) for path in paths)
        problems.append(Problem(named or ".", None, "", None, "holds no documents", "name a file with resources"))
    unread = bool(problems)
    problems += _duplicates(documents)
    if check:
        problems += check_documents(documents, existing, references=not unread)
    problems += also(documents)
    if problems:
        raise InvalidDocuments(problems)
    return documents


def check_documents(
    documents: Sequence[Document], existing: Iterable[Mapping[str, Any]] = (), *, references: bool = True
) -> list[Problem]:
    """Problems by schema and rules of each document and, with `references`, of the documents with each other."""
    problems: list[Problem] = []
    sound: list[Document] = []
    for document in documents:
        ours = document.kind in KINDS
        found = validate(document.object, document.source) if ours else plain_problems(document)
        problems += [*found, *named_file_problems(document)]
        if not found:
            sound.append(document)
    if references:
        problems += reference_problems(sound, [*existing, *(document.object for document in documents)])
    return problems


def _read(path: Path, documents: list[Document], problems: list[Problem]) -> None:
    """Append what `path` holds to `documents`, and what is wrong to `problems`."""
    if path.is_dir():
        kustomization = next((path / name for name in KUSTOMIZATION_FILES if (path / name).is_file()), None)
        if kustomization:
            found, wrong = read_kustomization(kustomization, _read_file)
            documents += found
            problems += wrong
            return
        files = sorted(file for file in path.iterdir() if file.suffix in _ENDINGS and file.is_file())
        files = [file for file in files if not is_data(file)]
        if not files:
            remedy = "name a folder with a kustomization.yaml or with *.yaml files"
            problems.append(Problem(str(path), None, "", None, "holds no documents", remedy))
    else:
        files = [path]
    for file in files:
        if file.name in KUSTOMIZATION_FILES:
            problems.append(Problem(str(file), None, "", None, "is a kustomization", f"name its folder: {file.parent}"))
            continue
        found, wrong = _read_file(file)
        documents += found
        problems += wrong


def is_data(file: Path) -> bool:
    """Whether a .json file holds data and no document: it is no JSON of an object with an apiVersion or a kind.

    Data sets, results and tokenizers lie beside documents; a file that is named itself is always read as a document.
    """
    if file.suffix != ".json":
        return False
    try:
        content = file.read_bytes()
        value = json.loads(content.decode("utf-8-sig"))
    except OSError:
        return False  # reading it as a document says why
    except (ValueError, RecursionError):
        return b'"apiVersion"' not in content  # a document with a typo is still to be told
    return not (isinstance(value, dict) and ("apiVersion" in value or "kind" in value))


def _read_file(file: Path) -> tuple[list[Document], list[Problem]]:
    try:
        content = sys.stdin.buffer.read() if file == STDIN else file.read_bytes()
    except OSError as error:
        return [], [Problem(str(file), None, "", None, f"cannot be read: {error.strerror}", "check the path")]
    return _documents(content, "stdin" if file == STDIN else str(file), file.parent)


def _documents(content: bytes, file: str, folder: Path) -> tuple[list[Document], list[Problem]]:
    """The documents of a file's content, and what is wrong with it."""
    try:
        parsed = parse_documents(content.decode("utf-8-sig"), file)
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        return [], [Problem(file, line, "", None, f"is not UTF-8 (byte {error.start})", "save it as UTF-8")]
    except InvalidDocuments as error:
        return [], error.problems
    except RecursionError:
        return [], [Problem(file, None, "", None, "is nested too deeply", "leave the file out; it is no document")]
    documents: list[Document] = []
    problems: list[Problem] = []
    for found in (item for value, source in parsed for item in items_of(value, source)):
        wrong = found if isinstance(found, Problem) else _kind_problem(*found)
        if wrong:
            problems.append(wrong)
        elif not isinstance(found, Problem):
            documents.append(_document(*found, folder))
    if not documents and not problems:
        problems.append(Problem(file, None, "", None, "holds no documents", "write a resource, or leave the file out"))
    return documents, problems


def _document(value: Mapping[str, Any], source: Source, folder: Path) -> Document:
    """One object. Its status is left out, which the API server ignores in what is applied, too."""
    told = {name: part for name, part in value.items() if name != "status" or value["kind"] not in KINDS}
    return Document(with_absolute_paths(told, folder), source, folder, tuple(uris_of(told)))


def _kind_problem(value: Any, source: Source) -> Problem | None:
    """What keeps a value from being a document of a kind that we know."""

    def problem(field: str, said: Any, rule: str, remedy: str) -> Problem:
        at = (field,) if field else ()
        return Problem(source.file, source.line(at) or source.line(("kind",)), field, said, rule, remedy)

    if not isinstance(value, dict):
        return problem("", None, "is not an object", "write fields such as apiVersion, kind, metadata and spec")
    kind, version = value.get("kind"), value.get("apiVersion")
    known = list(API_VERSIONS)
    if kind is None:
        return problem("kind", None, "is required", f"set it to one of {', '.join(known)}")
    versions = {**API_VERSIONS, **LISTS}
    if not isinstance(kind, str) or kind not in versions:
        close = nearest(str(kind), known)
        remedy = f"did you mean {close}?" if close else f"the kinds are {', '.join(known)}"
        return problem("kind", shown(kind), "is an unknown kind", remedy)
    if version != versions[kind]:
        said = None if version is None else shown(version)
        rule = "is required" if version is None else f"is an unknown apiVersion of {kind}"
        return problem("apiVersion", said, rule, f"write {versions[kind]}")
    return None


def _duplicates(documents: Sequence[Document]) -> list[Problem]:
    first: dict[tuple[str, str, str], Document] = {}
    problems: list[Problem] = []
    for document in documents:
        other = first.setdefault(document.key, document)
        if other is not document and document.name:
            at = ("metadata", "name")
            where = f"{other.source.file}:{other.source.line(at)}"
            rule = f"is the name of another {document.kind} too ({where})"
            problems.append(document.problem(at, rule, "rename one of them", shown(document.name)))
    return problems
