"""Where on this machine the things lie that documents name by URI."""

from pathlib import Path
from typing import Any

from swiftlet.api.v1alpha1.uris import parse_uri, scheme_of
from swiftlet.local.logs import pod_log_files
from swiftlet.local.places import MODELS_CLAIM, local_capabilities


def path_of(state: Path, uri: str, mirror: Path | None = None) -> Path | None:
    """What a URI names under the local engine's own profile: a path on a claim, or a local path; None: neither."""
    parsed = parse_uri(uri)
    scheme = scheme_of(parsed)
    if on_claim := scheme.on_claim(parsed, local_capabilities().default_profile.storage):
        return claim_folder(state, on_claim[0], mirror) / on_claim[1]
    return Path(parsed.path) if scheme.is_local else None


def mirrored(uri: str, mirror: Path) -> Path | None:
    """This machine's copy of a model of the hub; None: it has none, or the URI names nothing of the hub."""
    parsed = parse_uri(uri)
    scheme = scheme_of(parsed)
    on_claim = scheme.on_claim(parsed, local_capabilities().default_profile.storage) if scheme.is_mirrored else None
    found = mirror / on_claim[1] if on_claim else None
    return found if found and found.is_dir() else None


def claim_folder(state: Path, claim: str, mirror: Path | None = None) -> Path:
    """A claim's folder: below the state folder, but for the one that stands for the mirror of models."""
    return mirror if mirror and claim == MODELS_CLAIM else state / "volumes" / claim


def last_log(state: Path, namespace: str, pod: str) -> Path | None:
    """The log of the container of a pod that ran last."""
    files = pod_log_files(state, namespace, pod)
    return files[-1].path if files else None


def run_folder(state: Path, item: dict[str, Any]) -> Path | None:
    """Folder of an EvalRun's or FineTuneJob's files on the artifacts volume; None while it has left nothing."""
    status = item.get("status") or {}
    left = (status.get("report") or status.get("artifact") or {}).get("uri")
    path = path_of(state, left) if left else None
    return path.parent if path else None


def reports(state: Path, item: dict[str, Any]) -> list[Path]:
    """The HTML pages of a run of ours."""
    folder = run_folder(state, item)
    return sorted([*folder.glob("*.html"), *folder.glob("report/*.html")]) if folder else []


def report_uri(item: dict[str, Any]) -> str | None:
    """Where a run's HTML page lies, by its status; None while there is none."""
    status = item.get("status") or {}
    if item["kind"] == "EvalRun":
        return (status.get("report") or {}).get("uri")
    made = (status.get("artifact") or {}).get("uri")
    return f"{made.rpartition('/')[0]}/report/report.html" if made else None


def artifact_folder(state: Path, item: dict[str, Any]) -> Path | None:
    """The folder of what a FineTuneJob made; None while it has made nothing."""
    made = (item.get("status") or {}).get("artifact") or {}
    path = path_of(state, made["uri"]) if made.get("uri") else None
    return path.absolute() if path else None
