"""What Argo CD's Lua says of our resources is what `settled` says: one rule, in two languages."""

import itertools
import re
from typing import Any, cast

import lupa.lua51
import pytest
from ruamel.yaml import YAML
from swiftlet.api import KINDS
from swiftlet.kinds.conditions.summary import settled
from swiftlet.kinds.conditions.table import CONDITIONS

from .conftest import ROOT

Object = dict[str, Any]
PAGE = ROOT / "docs" / "how-to" / "argo-cd.md"
TYPED = ROOT / "tests" / "integration" / "operator" / "argocd"
FILE = ROOT / "helm" / "argo-cd" / "argocd-cm.yaml"
PREFIX = "resource.customizations"
NOT_IN_ARGO_CD = ("string", "math", "io", "debug", "os", "package", "require")
BOUNDED = ("FineTuneJob", "EvalRun")
HEALTH = {"succeeded": {"Healthy"}, "failed": {"Degraded"}, None: {"Progressing", "Suspended"}}


@pytest.fixture(scope="module")
def scripts() -> dict[str, str]:
    return cast(dict[str, str], YAML(typ="safe").load(FILE)["data"])


def run(script: str, document: Object) -> Object:
    """What a script makes of a document, with the libraries that Argo CD opens."""
    lua = lupa.lua51.LuaRuntime()
    for name in NOT_IN_ARGO_CD:
        lua.globals()[name] = None
    lua.globals().obj = lua.table_from(document, recursive=True)
    return _plain(lua.execute(script))


def _plain(value: Any) -> Any:
    return {key: _plain(each) for key, each in value.items()} if lupa.lua51.lua_type(value) == "table" else value


def resource(kind: str, *conditions: tuple[str, str, str], observed: int = 2) -> Object:
    found = [
        {"type": type_, "status": status, "reason": reason, "message": "step 3 of 9"}
        for type_, status, reason in conditions
    ]
    metadata = {"name": "bird", "namespace": "team", "generation": 2}
    return {
        "kind": kind,
        "metadata": metadata,
        "spec": {},
        "status": {"observedGeneration": observed, "conditions": found},
    }


def states(kind: str) -> list[Object]:
    """A resource in every status of its summary condition, with every reason, and what else health looks at."""
    summary = KINDS[kind].summary_condition
    reasons = next(list(doc.reasons) for doc in CONDITIONS[kind] if doc.type == summary)
    other = "Suspended" if kind in BOUNDED else "Progressing"
    return [
        resource(kind, (summary, status, reason), (other, flag, "Any"), observed=observed)
        for status, reason, flag, observed in itertools.product(
            ("True", "False", "Unknown"), reasons, ("True", "False", "Unknown"), (1, 2)
        )
    ]


@pytest.mark.parametrize("kind", [*BOUNDED, "ModelDeployment"])
def test_health_is_what_settled_says(scripts: dict[str, str], kind: str) -> None:
    documents = states(kind)
    assert len(documents) > 100
    for document in documents:
        status = document["status"]
        found = run(scripts[f"{PREFIX}.health.swiftlet.dev_{kind}"], document)
        assert found["status"] in HEALTH[settled(document)], (status, found)


@pytest.mark.parametrize("kind", [*BOUNDED, "ModelDeployment"])
def test_a_resource_nobody_has_looked_at_waits(scripts: dict[str, str], kind: str) -> None:
    document = resource(kind)
    for status in (document["status"], {}, None):
        found = run(scripts[f"{PREFIX}.health.swiftlet.dev_{kind}"], document | {"status": status})
        assert found["status"] == "Progressing"


def test_a_message_has_no_figures_while_a_run_goes_on(scripts: dict[str, str]) -> None:
    script = scripts[f"{PREFIX}.health.swiftlet.dev_FineTuneJob"]
    running, failed = (
        run(script, resource("FineTuneJob", ("Succeeded", status, reason)))
        for status, reason in (("Unknown", "Training"), ("False", "Diverged"))
    )
    assert (running["status"], running["message"]) == ("Progressing", "Training")
    assert (failed["status"], failed["message"]) == ("Degraded", "Diverged: step 3 of 9")


def test_a_suspended_run_is_suspended(scripts: dict[str, str]) -> None:
    document = resource("FineTuneJob", ("Succeeded", "Unknown", "Suspended"), ("Suspended", "True", "Asked"))
    assert run(scripts[f"{PREFIX}.health.swiftlet.dev_FineTuneJob"], document)["status"] == "Suspended"


def actions(scripts: dict[str, str], kind: str, document: Object) -> tuple[set[str], dict[str, Object]]:
    """The actions that are offered for a document, and the spec that each makes of it."""
    found = YAML(typ="safe").load(scripts[f"{PREFIX}.actions.swiftlet.dev_{kind}"])
    offered = run(found["discovery.lua"], document)
    made = {one["name"]: run(one["action.lua"], document)["spec"] for one in found["definitions"]}
    assert set(offered) == set(made)
    known = cast(Any, KINDS[kind].model_fields["spec"].annotation).model_fields
    fields = {field.alias or name for name, field in known.items()}
    assert {name for spec in made.values() for name in spec} - set(document["spec"]) <= fields
    return {name for name, action in offered.items() if not action["disabled"]}, made


@pytest.mark.parametrize("kind", BOUNDED)
@pytest.mark.parametrize("suspended", [None, False, True])
def test_suspend_and_resume(scripts: dict[str, str], kind: str, suspended: bool | None) -> None:
    document = resource(kind)
    document["spec"] = {"tuner": {"lora": {"rank": 8}}} | ({} if suspended is None else {"suspend": suspended})
    offered, made = actions(scripts, kind, document)
    assert offered == {"resume" if suspended else "suspend"}
    for name in ("suspend", "resume"):
        assert made[name] == document["spec"] | {"suspend": name == "suspend"}


@pytest.mark.parametrize("kind", BOUNDED)
@pytest.mark.parametrize(
    ("reason", "limit", "wanted"),
    [
        ("BackoffLimitExceeded", 2, 3),
        ("BackoffLimitExceeded", None, 3),
        ("BackoffLimitExceeded", 100, None),
        ("InvalidInput", 2, None),
        (None, 2, None),
    ],
)
def test_retry_is_one_more_attempt_where_these_were_too_few(
    scripts: dict[str, str], kind: str, reason: str | None, limit: int | None, wanted: int | None
) -> None:
    """Bad input is never tried again, whatever the limit says; and of a hundred there is no more."""
    document = resource(kind, ("Succeeded", "False" if reason else "Unknown", reason or "Training"))
    document["spec"] = {} if limit is None else {"backoffLimit": limit}
    offered, made = actions(scripts, kind, document)
    assert ("retry" in offered) == (wanted is not None)
    if wanted is not None:
        assert made["retry"] == {"backoffLimit": wanted}


@pytest.mark.parametrize("replicas", [None, 0, 3])
def test_a_server_is_suspended_without_replicas_and_resumes_with_the_default(
    scripts: dict[str, str], replicas: int | None
) -> None:
    document = resource("ModelDeployment")
    document["spec"] = {"api": {"port": 8000}} | ({} if replicas is None else {"replicas": replicas})
    offered, made = actions(scripts, "ModelDeployment", document)
    assert offered == {"resume" if replicas == 0 else "suspend"}
    assert made["suspend"] == {"api": {"port": 8000}, "replicas": 0}
    assert made["resume"] == {"api": {"port": 8000}}


@pytest.mark.parametrize(
    ("asked", "pinned", "back"), [(4, None, 3), (5, None, 3), (3, None, 1), (5, 3, 1), (1, None, None), (5, 1, None)]
)
def test_a_server_is_rolled_back_to_the_last_revision_that_was_ready(
    scripts: dict[str, str], asked: int, pinned: int | None, back: int | None
) -> None:
    document = resource("ModelDeployment")
    document["spec"] = {"api": {"port": 8000}} | ({"rollbackTo": {"revision": pinned}} if pinned else {})
    ready = {1: "2026-01-01T12:00:00Z", 3: "2026-01-02T12:00:00Z"}
    revisions = [{"revision": n} | ({"readyAt": ready[n]} if n in ready else {}) for n in (1, 2, 3, 4, 5)]
    document["status"] |= {"updateRevision": asked, "revisions": revisions}
    offered, made = actions(scripts, "ModelDeployment", document)
    assert ("roll-back" in offered, "promote" in offered) == (back is not None, pinned is not None)
    kept = document["spec"] if back is None else document["spec"] | {"rollbackTo": {"revision": back}}
    assert made["roll-back"] == kept
    assert made["promote"] == {"api": {"port": 8000}}


def test_every_command_of_the_page_is_typed_beside_the_real_argo_cd() -> None:
    commands = re.findall(r"(?m)^ {4,6}(\S.*)$", PAGE.read_text())
    typed = "\n".join(file.read_text() for file in TYPED.glob("*.py")).replace("\\n", "\n")
    assert len(commands) > 10
    assert [command for command in commands if command not in typed] == []
