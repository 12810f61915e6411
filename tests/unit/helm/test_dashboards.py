"""The dashboards of the chart are those of helm/dashboards.py, and of Grafana's form."""

import importlib
import json
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from .conftest import CHART, ROOT

FOLDER = CHART / "files" / "dashboards"


@pytest.fixture
def dashboards(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "helm"))
    return importlib.import_module("dashboards")


def test_the_files_are_those_of_the_code(dashboards: ModuleType) -> None:
    written = {file.stem: file.read_text() for file in FOLDER.glob("*.json")}
    assert written == {page.name: dashboards.rendered(page) for page in dashboards.PAGES}, "run `make generate`"


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.json")), ids=lambda file: file.stem)
def test_panels_have_places_and_numbers_of_their_own(file: Any) -> None:
    board = json.loads(file.read_text())
    panels = board["panels"]
    assert board["uid"] == f"swiftlet-{file.stem}"
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken = [
        (x, y)
        for place in (panel["gridPos"] for panel in panels)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(set(taken)) == len(taken), "panels lie on each other"
    assert max(x for x, _ in taken) < 24


def test_the_chart_hands_out_all_of_them(render: Callable[..., list[dict[str, Any]]]) -> None:
    rendered = render("monitoring.dashboard.enabled=true")
    found = next(one for one in rendered if one["metadata"]["name"] == "swiftlet-dashboard")
    assert {name: json.loads(text)["uid"] for name, text in found["data"].items()} == {
        f"swiftlet-{file.name}": f"swiftlet-{file.stem}" for file in FOLDER.glob("*.json")
    }
