"""In which agent template's words the models of a server were trained to call tools."""

from collections.abc import Mapping
from pathlib import Path

from swiftlet_trainer.artifact.manifest import is_artifact, read_manifest
from swiftlet_trainer.templates.agents.registry import AGENT_TEMPLATES


def agents_of(
    model: Path, model_names: list[str], adapters: Mapping[str, Path], chosen: str | None = None
) -> dict[str, str]:
    """Agent templates by served name: the one that the document chose, for all; else the one that each was trained
    with, by its manifest. Names whose own chat template writes tools have none. adapters: folders by name."""
    folders = {**dict.fromkeys(model_names, model), **adapters}
    found = {name: chosen or trained_with(folder) for name, folder in folders.items()}
    return {name: agent for name, agent in found.items() if agent}


def trained_with(folder: Path) -> str | None:
    """The agent template in the manifest of an artifact; None for other models, and for names that a later release
    may have."""
    if not is_artifact(folder):
        return None
    agent = (read_manifest(folder).parameters.get("template") or {}).get("agentTemplate")
    return agent if agent in AGENT_TEMPLATES else None
