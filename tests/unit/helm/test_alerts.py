"""The chart's rules as promtool judges them: each alert fires on the series of alerts_test.yaml, and not before its
time; each recording has the figure that is worked out there."""

import io
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from testbed.debian import debian

CASES = Path(__file__).with_name("alerts_test.yaml")
Manifest = dict[str, Any]


@pytest.fixture
def rules(render: Callable[..., list[Manifest]], tmp_path: Path) -> Path:
    """The rules as the PrometheusRule has them."""
    rendered = render("monitoring.prometheusRule.enabled=true")
    found = next(one for one in rendered if one["kind"] == "PrometheusRule")["spec"]
    path = tmp_path / "rules.yaml"
    YAML(typ="safe").dump(found, path)
    return path


def promtool(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [debian("promtool"), *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False
    )


def test_the_rules_are_good(rules: Path) -> None:
    done = promtool("check", "rules", rules)
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_rule_says_what_it_should(rules: Path, tmp_path: Path) -> None:
    cases = YAML(typ="safe").load(CASES)
    found = [rule for group in YAML(typ="safe").load(rules)["groups"] for rule in group["rules"]]
    alerts = {rule["alert"]: rule for rule in found if "alert" in rule}
    checks = [check for case in cases["tests"] for check in case.get("alert_rule_test", ())]
    assert {check["alertname"] for check in checks if check.get("exp_alerts")} == set(alerts)
    recorded = {check["expr"] for case in cases["tests"] for check in case.get("promql_expr_test", ())}
    assert recorded == {rule["record"] for rule in found if "record" in rule}
    for check in checks:
        for alert in check.get("exp_alerts", ()):
            alert["exp_annotations"]["runbook_url"] = alerts[check["alertname"]]["annotations"]["runbook_url"]
    file, text = tmp_path / "cases.yaml", io.StringIO()
    YAML(typ="safe").dump(cases | {"rule_files": [str(rules)]}, text)
    file.write_text(text.getvalue())
    done = promtool("test", "rules", file)
    assert done.returncode == 0, done.stdout + done.stderr
