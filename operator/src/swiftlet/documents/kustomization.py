"""Kustomizations: the part of them that `swiftlet run FOLDER` and `kubectl apply -k FOLDER` read alike."""

import base64
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from swiftlet.api import KINDS
from swiftlet.api.schema.problems import InvalidDocuments, Location, Problem, Source, field_path, shown
from swiftlet.api.schema.validation import nearest
from swiftlet.documents.document import Document
from swiftlet.documents.plain import KEY
from swiftlet.documents.yamlfile import parse_documents

KUSTOMIZATION_FILES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
"""Names that kustomize looks for."""

ReadFile = Callable[[Path], tuple[list[Document], list[Problem]]]

_FIELDS = ("apiVersion", "kind", "metadata", "resources", "configMapGenerator", "generatorOptions", "namespace")
_GENERATOR_FIELDS = ("name", "namespace", "files", "literals", "options")
_OPTION_FIELDS = ("disableNameSuffixHash", "labels", "annotations", "immutable")
_KUSTOMIZE = frozenset(
    (
        *("namePrefix", "nameSuffix", "commonLabels", "labels", "commonAnnotations", "patches", "patchesJson6902"),
        *("patchesStrategicMerge", "images", "imageTags", "replacements", "replicas", "vars", "sortOptions", "crds"),
        *("components", "bases", "secretGenerator", "helmGlobals", "helmCharts", "helmChartInflationGenerator"),
        *("configurations", "generators", "transformers", "validators", "openapi", "inventory", "buildMetadata"),
        *("behavior", "envs", "env", "type"),
    )
)
"""Fields of kustomize that are not read here. Source: kustomize/api/types, Kustomization and its generators."""
_HASH_REMEDY = "set generatorOptions.disableNameSuffixHash: true, since kustomize renames no configmap:// URI"


def read_kustomization(file: Path, read_file: ReadFile) -> tuple[list[Document], list[Problem]]:
    """The documents of a kustomization, generated ConfigMaps last, and what is wrong with it."""
    return _Kustomization(file, read_file, ()).read()


class _Kustomization:
    """One kustomization while it is read. `above` are the folders that led here."""

    def __init__(self, file: Path, read_file: ReadFile, above: tuple[Path, ...]) -> None:
        self.file, self.folder, self.read_file = file, file.parent, read_file
        self.above = (*above, file.parent.resolve())
        self.source = Source(str(file))
        self.documents: list[Document] = []
        self.problems: list[Problem] = []

    def read(self) -> tuple[list[Document], list[Problem]]:
        content = self._content()
        for index, entry in enumerate(self._list(content, ("resources",))):
            self._resource(entry, ("resources", index))
        options = content.get("generatorOptions") or {}
        self._refuse_unknown(options, _OPTION_FIELDS, ("generatorOptions",))
        for index, entry in enumerate(self._list(content, ("configMapGenerator",))):
            self._config_map(entry, options, ("configMapGenerator", index))
        if isinstance(namespace := content.get("namespace"), str):
            self.documents = [_in_namespace(document, namespace) for document in self.documents]
        return self.documents, self.problems

    def _content(self) -> dict[str, Any]:
        try:
            parsed = parse_documents(self.file.read_text("utf-8"), str(self.file))
        except InvalidDocuments as error:
            self.problems += error.problems
            return {}
        except (OSError, UnicodeDecodeError) as error:
            self.problems.append(Problem(str(self.file), None, "", None, f"cannot be read: {error}"))
            return {}
        if len(parsed) != 1 or not isinstance(parsed[0][0], dict):
            self._refuse((), "must hold one object", "write resources: and the files to read")
            return {}
        content, self.source = parsed[0]
        self._refuse_unknown(content, _FIELDS, ())
        return dict(content)

    def _resource(self, entry: Any, at: Location) -> None:
        if not isinstance(entry, str) or "://" in entry:
            self._refuse(at, "must be a local file or folder", "copy it into the folder", shown(entry))
            return
        path = self.folder / entry
        inner = next((path / name for name in KUSTOMIZATION_FILES if (path / name).is_file()), None)
        if path.is_dir() and inner is None:
            self._refuse(at, "is a folder without a kustomization.yaml", "add one, or list its files", shown(entry))
        elif inner is not None and path.resolve() in self.above:
            chain = " → ".join(str(folder) for folder in (*self.above, path.resolve()))
            self._refuse(at, f"is a cycle of kustomizations: {chain}", "take one of them out", shown(entry))
        elif inner is None and not self._inside(path):
            self._refuse(
                at, "lies outside the folder, which kustomize refuses", "move it into the folder", shown(entry)
            )
        elif inner is None and not path.exists():
            self._refuse(at, "does not exist", self._close(path), shown(entry))
        else:
            found, wrong = _Kustomization(inner, self.read_file, self.above).read() if inner else self.read_file(path)
            self.documents += found
            self.problems += wrong

    def _config_map(self, entry: Any, options: Mapping[str, Any], at: Location) -> None:
        if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
            self._refuse((*at, "name"), "is required", "name the ConfigMap")
            return
        self._refuse_unknown(entry, _GENERATOR_FIELDS, at)
        own = entry.get("options") or {}
        self._refuse_unknown(own, _OPTION_FIELDS, (*at, "options"))
        merged = _merged(options, own)
        if not merged["disableNameSuffixHash"]:
            self._refuse((*at, "name"), "would get a hash behind its name", _HASH_REMEDY, shown(entry["name"]))
        item: dict[str, Any] = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": entry["name"]}}
        item["metadata"] |= {name: merged[name] for name in ("labels", "annotations") if merged[name]}
        item["metadata"] |= {"namespace": entry["namespace"]} if "namespace" in entry else {}
        item |= {"immutable": True} if merged["immutable"] else {}
        for key, value, where in [*self._literals(entry, at), *self._files(entry, at)]:
            if not KEY.fullmatch(key):
                self._refuse(where, "is not a key", "use letters, digits, -, _ and .", shown(key))
            if key in item.get("data", {}) or key in item.get("binaryData", {}):
                self._refuse(where, "is a key already", "give one of them another key=", shown(key))
            field, text = _encoded(value)
            item.setdefault(field, {})[key] = text
        lines = {location[len(at) :]: line for location, line in self.source.lines.items() if location[: len(at)] == at}
        self.documents.append(Document(item, Source(str(self.file), _as_object(lines)), self.folder))

    def _literals(self, entry: Mapping[str, Any], at: Location) -> Iterator[tuple[str, bytes, Location]]:
        for index, literal in enumerate(self._list(entry, (*at, "literals"))):
            key, separator, value = str(literal).partition("=")
            if not separator:
                self._refuse((*at, "literals", index), "must be key=value", "", shown(literal))
                continue
            if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
                value = value[1:-1]  # as kustomize does
            yield key, value.encode(), (*at, "literals", index)

    def _files(self, entry: Mapping[str, Any], at: Location) -> Iterator[tuple[str, bytes, Location]]:
        for index, item in enumerate(self._list(entry, (*at, "files"))):
            where = (*at, "files", index)
            before, separator, after = str(item).partition("=")
            path = self.folder / (after if separator else before)
            if not self._inside(path):
                self._refuse(where, "lies outside the folder, which kustomize refuses", "move it here", shown(item))
            elif not path.is_file():
                self._refuse(where, "does not exist", self._close(path), shown(item))
            else:
                yield before if separator else path.name, path.read_bytes(), where

    def _list(self, content: Mapping[str, Any], at: Location) -> list[Any]:
        value = content.get(str(at[-1]))
        if value is None or isinstance(value, list):
            return value or []
        self._refuse(at, "must be a list", "write each item after a `-`", shown(value))
        return []

    def _inside(self, path: Path) -> bool:
        return path.resolve().is_relative_to(self.folder.resolve())

    def _close(self, path: Path) -> str:
        names = [file.name for file in path.parent.iterdir()] if path.parent.is_dir() else []
        close = nearest(path.name, names)
        return f"did you mean {close}?" if close else f"there is no such file in {path.parent}"

    def _refuse_unknown(self, content: Any, known: tuple[str, ...], at: Location) -> None:
        if not isinstance(content, dict):
            self._refuse(at, "must be an object")
            return
        for name in content:
            if name in known:
                continue
            if name in _KUSTOMIZE:
                remedy = f"let kustomize read it: kustomize build {self.folder} | swiftlet run -"
                self._refuse((*at, name), "is a field of kustomize that is not supported here", remedy)
                continue
            close = nearest(name, known)
            supported = ", ".join(known)
            remedy = f"did you mean {close}?" if close else f"take it out; only {supported} are read"
            self._refuse((*at, name), "is not supported here", remedy)

    def _refuse(self, at: Location, rule: str, remedy: str = "", value: str | None = None) -> None:
        line = self.source.line(at)
        self.problems.append(Problem(str(self.file), line, field_path(at), value, rule, remedy))


def _merged(*options: Any) -> dict[str, Any]:
    """Options of all generators and of one, as kustomize merges them: switches by or, maps key by key."""
    sound = [option for option in options if isinstance(option, dict)]
    switches = ("disableNameSuffixHash", "immutable")
    merged: dict[str, Any] = {name: any(option.get(name) is True for option in sound) for name in switches}
    for name in ("labels", "annotations"):
        merged[name] = {key: value for option in sound for key, value in (option.get(name) or {}).items()}
    return merged


def _encoded(value: bytes) -> tuple[str, str]:
    """Field of a ConfigMap and text for it: binaryData for what is not UTF-8, as kustomize does."""
    try:
        return "data", value.decode()
    except UnicodeDecodeError:
        return "binaryData", base64.b64encode(value).decode()


def _as_object(lines: Mapping[Location, int]) -> dict[Location, int]:
    """Lines of a generator's entry as lines of the ConfigMap that it makes."""
    first = lines.get((), 1)
    data = lines.get(("files",), lines.get(("literals",), first))
    return {(): first, ("metadata", "name"): lines.get(("name",), first), ("data",): data, ("binaryData",): data}


def _in_namespace(document: Document, namespace: str) -> Document:
    if document.kind in KINDS and KINDS[document.kind].scope == "Cluster":
        return document
    metadata = {**(document.object.get("metadata") or {}), "namespace": namespace}
    return replace(document, object={**document.object, "metadata": metadata})
