"""The page of a cluster: each person sees and does there what the API server lets him."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kubernetes import client
from playwright.sync_api import Browser, Page, expect
from testbed.controlplane import ControlPlane
from testbed.pages import served

Object = dict[str, Any]
PATIENCE = 30_000
"""Milliseconds: a reading every five seconds, and each asks a busy API server a dozen times."""
JOBS = ("swiftlet.dev", "v1alpha1")


@contextmanager
def _opened(browser: Browser, kubeconfig: Path, namespace: str) -> Iterator[Page]:
    with served("--kubeconfig", str(kubeconfig), "-n", namespace) as url, browser.new_context() as context:
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        page.goto(url)
        yield page


def _at(page: Page, path: str) -> None:
    page.goto(re.sub(r"(://[^/]+)/.*", rf"\1/{path}", page.url))


def _press(page: Page, verb: str) -> None:
    page.get_by_role("button", name=f"{verb} …").click()
    page.get_by_role("button", name=verb, exact=True).click()


def test_a_person_without_rights_sees_403_and_nothing(
    browser: Browser, person: Callable[..., Path], namespace: str, jobs: Object
) -> None:
    with _opened(browser, person("stranger"), namespace) as page:
        expect(page.get_by_text("403 Forbidden").first).to_be_visible(timeout=PATIENCE)
        _at(page, f"run/finetunejob/{namespace}/bird")
        expect(page.get_by_role("alert").filter(has_text="403 Forbidden").first).to_be_visible(timeout=PATIENCE)
        assert "rank 0 ran out of memory" not in page.content()


def test_a_reader_reads_and_may_not_suspend(
    browser: Browser, person: Callable[..., Path], namespace: str, jobs: Object, custom: client.CustomObjectsApi
) -> None:
    with _opened(browser, person("reader", "swiftlet-view", "view"), namespace) as page:
        expect(page.get_by_role("link", name="finch")).to_be_visible(timeout=PATIENCE)
        _at(page, f"run/finetunejob/{namespace}/finch")
        expect(page.get_by_text("step 40 of 100, loss 1.5")).to_be_visible(timeout=PATIENCE)
        _press(page, "Suspend")
        expect(page.get_by_role("alert").filter(has_text="403 Forbidden")).to_be_visible(timeout=PATIENCE)
    assert not _spec(custom, namespace).get("suspend")


def test_an_editor_suspends_resumes_and_deletes(
    browser: Browser, person: Callable[..., Path], namespace: str, jobs: Object, custom: client.CustomObjectsApi
) -> None:
    with _opened(browser, person("editor", "swiftlet-edit", "view"), namespace) as page:
        _at(page, f"run/finetunejob/{namespace}/finch")
        for verb, suspended in (("Suspend", True), ("Resume", False)):
            _press(page, verb)
            expect(page.get_by_text(f"{verb}: done")).to_be_visible(timeout=PATIENCE)
            assert _spec(custom, namespace)["suspend"] is suspended
        _press(page, "Delete")
        expect(page.get_by_role("link", name="bird")).to_be_visible(timeout=PATIENCE)
        expect(page.get_by_role("link", name="finch")).to_have_count(0)


def test_a_right_that_is_taken_away_takes_away_what_was_shown(
    browser: Browser, person: Callable[..., Path], namespace: str, jobs: Object, control_plane: ControlPlane
) -> None:
    with _opened(browser, person("leaver", "swiftlet-view"), namespace) as page:
        _at(page, f"run/finetunejob/{namespace}/bird")
        expect(page.get_by_text("BackoffLimitExceeded").first).to_be_visible(timeout=PATIENCE)
        control_plane.kubectl("delete", "rolebinding", "leaver-swiftlet-view", "-n", namespace)
        expect(page.get_by_role("alert").filter(has_text="403 Forbidden").first).to_be_visible(timeout=PATIENCE)
        expect(page.get_by_text("BackoffLimitExceeded")).to_have_count(0)


def _spec(custom: client.CustomObjectsApi, namespace: str) -> Object:
    found: Object = custom.get_namespaced_custom_object(*JOBS, namespace, "finetunejobs", "finch")["spec"]
    return found
