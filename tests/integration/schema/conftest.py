"""Questions to the real API server, and the documents of corpus/."""

import copy
import json
import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from kubernetes import config
from swiftlet.api import GROUP, KINDS, VERSION
from swiftlet.documents.yamlfile import parse_documents

Object = dict[str, Any]
CORPUS = Path(__file__).parent / "corpus"
ASK = {"dryRun": "All", "fieldValidation": "Strict"}


def corpus(name: str) -> Any:
    """One file of corpus/, read as Kubernetes reads YAML."""
    ((value, _),) = parse_documents((CORPUS / f"{name}.yaml").read_text(encoding="utf-8"), name)
    return value


def changed(base: Mapping[str, Any], change: Mapping[str, Any]) -> Object:
    """A copy of `base` with entries of `spec` and `metadata` replaced, and entries of the root by `document`."""
    document = copy.deepcopy(dict(base))
    for part in ("metadata", "spec"):
        document[part] = {**document[part], **change.get(part, {})}
    return {**document, **change.get("document", {})}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that takes rule_case, text_case, refused_case or accepted_case runs once for each entry of corpus/."""
    bases = corpus("base")
    if "rule_case" in metafunc.fixturenames:
        cases = [(bases[kind], case) for kind, found in corpus("rules").items() if kind in bases for case in found]
        metafunc.parametrize("rule_case", cases, ids=[f"{base['kind']}:{case['field']}" for base, case in cases])
    if "text_case" in metafunc.fixturenames:
        texts = corpus("texts")
        cases = [(verdict == "accepted", case) for verdict in texts for case in texts[verdict]]
        values = [(accepted, case["text"]) for accepted, case in cases]
        metafunc.parametrize("text_case", values, ids=[case["why"] for _, case in cases])
    for verdict in ("refused", "accepted"):
        if f"{verdict}_case" in metafunc.fixturenames:
            cases = [(bases[kind], case) for kind, found in corpus("documents").items() for case in found[verdict]]
            names = [f"{base['kind']}: {case['why']}" for base, case in cases]
            metafunc.parametrize(f"{verdict}_case", cases, ids=names)


@dataclass(frozen=True)
class Answer:
    """What the API server said to one write: the object, or a metav1.Status."""

    code: int
    body: Object

    @property
    def refused(self) -> bool:
        return self.code >= 400

    @property
    def said(self) -> str:
        """The message; a strict decoding error stands in it."""
        return str(self.body.get("message", ""))

    def names(self, field: str) -> bool:
        """Whether a cause or the message is about the field."""
        causes = (self.body.get("details") or {}).get("causes") or []
        wanted = _plain(field)
        in_text = re.search(rf"(?<![\w.]){re.escape(wanted)}(?!\w|\.\w)", _plain(self.said))
        return wanted in [_plain(cause.get("field", "")) for cause in causes] or in_text is not None


def _plain(path: str) -> str:
    """Field paths of one spelling: the API server writes some keys of maps in brackets, others behind a dot."""
    return re.sub(r"\[([^\]]*)\]", r".\1", path)


class Server:
    """The API server, asked without kubectl between: what is sent is what a test wrote."""

    def __init__(self, kubeconfig: Path, namespace: str) -> None:
        self._api = config.new_client_from_config(str(kubeconfig))
        self.namespace = namespace

    def create(self, document: Object, **query: str) -> Answer:
        """POST; by default only asked for (dryRun) and with unknown fields refused."""
        namespace = (document.get("metadata") or {}).get("namespace") or self.namespace
        return self._send("POST", self._path(document, namespace), query or ASK, document)

    def replace(self, document: Object, subresource: str = "", **query: str) -> Answer:
        """PUT."""
        path = f"{self._path(document, self.namespace)}/{document['metadata']['name']}"
        return self._send("PUT", path + (f"/{subresource}" if subresource else ""), query or ASK, document)

    def get(self, document: Object) -> Answer:
        return self._send("GET", f"{self._path(document, self.namespace)}/{document['metadata']['name']}", {}, None)

    def delete(self, document: Object) -> Answer:
        return self._send("DELETE", f"{self._path(document, self.namespace)}/{document['metadata']['name']}", {}, None)

    def _path(self, document: Object, namespace: str) -> str:
        kind = KINDS[document["kind"]]
        where = f"/namespaces/{namespace}" if kind.scope == "Namespaced" else ""
        return f"/apis/{GROUP}/{VERSION}{where}/{kind.plural}"

    def _send(self, method: str, path: str, query: Mapping[str, str], body: Object | None) -> Answer:
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        request = self._api.param_serialize(
            method,
            path,
            query_params=list(query.items()),
            header_params=headers,
            body=body,
            auth_settings=["BearerToken"],
        )
        reply = self._api.call_api(*request)
        return Answer(reply.status, json.loads(reply.read() or "{}"))


@pytest.fixture(scope="session")
def server(control_plane: Any) -> Iterator[Server]:
    """One namespace serves all questions: nearly all of them are only asked, and what is stored is deleted again."""
    namespace = f"schema-{uuid.uuid4().hex[:8]}"
    control_plane.kubectl("create", "namespace", namespace)
    yield Server(control_plane.kubeconfig, namespace)
    control_plane.kubectl("delete", "namespace", namespace, "--wait=false")


@pytest.fixture
def base() -> Mapping[str, Object]:
    """The plainest document of each kind."""
    return corpus("base")  # type: ignore[no-any-return]


@pytest.fixture
def change() -> Callable[[Mapping[str, Any], Mapping[str, Any]], Object]:
    """`changed`, for tests, which cannot import this file."""
    return changed


@pytest.fixture
def rules() -> Any:
    """corpus/rules.yaml."""
    return corpus("rules")


@pytest.fixture
def stored(server: Server) -> Iterator[Callable[[Object], Object]]:
    """Stores documents for one test; cluster-scoped ones would outlive the namespace."""
    made: list[Object] = []

    def store(document: Object) -> Object:
        answer = server.create(document, fieldValidation="Strict")
        assert not answer.refused, answer.said
        made.append(document)
        if "status" in document:  # which only its own endpoint takes
            status = {**answer.body, "status": document["status"]}
            answer = server.replace(status, "status", fieldValidation="Strict")
            assert not answer.refused, answer.said
        return answer.body

    yield store
    for document in made:
        server.delete(document)
