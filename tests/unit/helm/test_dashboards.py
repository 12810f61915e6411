"""The dashboards of the chart are those of helm/dashboards.py, and of Grafana's form."""

import importlib
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from testbed.debian import debian

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


@pytest.mark.parametrize("prefix", ["vllm:", "vllm_", "swiftlet_"])
def test_panels_of_servers_find_series_under_every_name(dashboards: ModuleType, tmp_path: Path, prefix: str) -> None:
    """As promtool computes them: first tokens within 0.1 s, three requests that run, and one that ends a second."""
    page = importlib.import_module("dashboard_serving")
    one = {"name": "bird", "model_name": "base"}
    series = {
        ("time_to_first_token_seconds_bucket", ("le", "0.1")): "0+2x10",
        ("time_to_first_token_seconds_bucket", ("le", "+Inf")): "0+2x10",
        ("num_requests_running", ("pod", "bird-0")): "3x10",
        ("request_success_total", ("finished_reason", "stop")): "0+60x10",
    }
    given = [
        {"series": _labelled({"__name__": prefix + name, "namespace": "team", **one, key: value}), "values": values}
        for (name, (key, value)), values in series.items()
    ]
    wanted = {
        page.waits("time_to_first_token_seconds")[0][0]: (one, 0.05),
        page.of_servers("num_requests_running", "", "{}"): (one, 3),
        page.of_servers("request_success_total", ", finished_reason"): ({**one, "finished_reason": "stop"}, 1),
    }
    asked = [
        {
            "expr": query.replace("$namespace", "team").replace("$name", "bird"),
            "eval_time": "10m",
            "exp_samples": [{"labels": _labelled(labels), "value": value}],
        }
        for query, (labels, value) in wanted.items()
    ]
    cases = {"tests": [{"interval": "1m", "input_series": given, "promql_expr_test": asked}]}
    (tmp_path / "cases.json").write_text(json.dumps(cases))
    command = [str(debian("promtool")), "test", "rules", str(tmp_path / "cases.json")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def _labelled(labels: dict[str, str]) -> str:
    return "{" + ",".join(f'{name}="{value}"' for name, value in labels.items()) + "}"
