"""What a dashboard is said to be: pages of panels."""

from dataclasses import dataclass

from grafana_foundation_sdk.builders.stat import Panel as Stat
from grafana_foundation_sdk.builders.table import Panel as Table
from grafana_foundation_sdk.builders.timeseries import Panel as TimeSeries


@dataclass(frozen=True)
class Shown:
    """A panel: what it asks Prometheus, each with the text of its legend. unit: Grafana's name of it."""

    title: str
    queries: tuple[tuple[str, str], ...]
    unit: str = "short"
    form: type[Stat | Table | TimeSeries] = TimeSeries
    width: int = 12
    description: str = ""


@dataclass(frozen=True)
class Page:
    """A dashboard. variables: name and the query of its values, beside the source of data."""

    name: str
    title: str
    rows: dict[str, tuple[Shown, ...]]
    variables: tuple[tuple[str, str], ...] = ()
