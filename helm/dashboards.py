"""Grafana's dashboards, built with Grafana's own types: files/dashboards/ of the chart. `make generate` writes them.

What they show is in dashboard_pages.py. tests/integration/faults/test_prometheus.py asks a real Prometheus every query.
"""

import itertools
import json
from pathlib import Path
from typing import Any

from dashboard_pages import PAGES
from dashboard_panels import Page, Shown
from grafana_foundation_sdk.builders.dashboard import Dashboard, DatasourceVariable, QueryVariable, Row
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.builders.stat import Panel as Stat
from grafana_foundation_sdk.builders.table import Panel as Table
from grafana_foundation_sdk.builders.timeseries import Panel as TimeSeries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import DataSourceRef, VariableRefresh
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

FOLDER = Path(__file__).parent / "swiftlet" / "files" / "dashboards"
SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")


def main() -> None:
    """Write every dashboard, and remove what is none any more."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for file in FOLDER.glob("*.json"):
        file.unlink()
    for page in PAGES:
        (FOLDER / f"{page.name}.json").write_text(rendered(page))


def rendered(page: Page) -> str:
    """The dashboard as Grafana imports it."""
    board = Dashboard(page.title).uid(f"swiftlet-{page.name}").tags(["swiftlet"]).refresh("30s").time("now-3h", "now")
    board = board.editable().with_variable(DatasourceVariable("datasource").label("Prometheus").type("prometheus"))
    for name, query in page.variables:
        board = board.with_variable(_variable(name, query))
    numbers = itertools.count(1)
    for title, row in page.rows.items():
        board = board.with_row(Row(title).id(next(numbers)))
        for shown in row:
            board = board.with_panel(_panel(shown).id(next(numbers)))
    return json.dumps(_given(json.loads(JSONEncoder(sort_keys=True).encode(board.build()))), indent=1) + "\n"


def _given(part: Any) -> Any:
    """Without what is null: Grafana's schema has no such values."""
    if isinstance(part, dict):
        return {name: _given(value) for name, value in part.items() if value is not None}
    return [_given(value) for value in part] if isinstance(part, list) else part


def _variable(name: str, query: str) -> QueryVariable:
    """A choice of several; all at first."""
    variable = QueryVariable(name).datasource(SOURCE).query(query).refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
    return variable.multi(True).include_all(True).all_value(".*")


def _panel(shown: Shown) -> Stat | Table | TimeSeries:
    panel = shown.form().title(shown.title).datasource(SOURCE).unit(shown.unit).span(shown.width)
    panel = panel.height(4 if shown.form is Stat else 8)
    if shown.description:
        panel = panel.description(shown.description)
    for number, (expression, legend) in enumerate(shown.queries):
        query = Dataquery().expr(expression).legend_format(legend).ref_id(chr(ord("A") + number))
        if shown.form is Table:
            query = query.instant().format(PromQueryFormat.TABLE)
        panel = panel.with_target(query)
    return panel


if __name__ == "__main__":
    main()
