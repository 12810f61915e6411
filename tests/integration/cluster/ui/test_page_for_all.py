"""The page for all who log in, on a real API server: each sees and does what his own token may."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from kubernetes import client
from playwright.sync_api import Browser, Page, expect
from testbed.controlplane import ControlPlane
from testbed.pages import served_to_all

Object = dict[str, Any]
JOBS = ("swiftlet.dev", "v1alpha1")


@pytest.fixture(scope="module")
def url(control_plane: ControlPlane) -> Iterator[str]:
    """One page for the whole cluster."""
    server = ("--api-server", control_plane.server, "--certificate-authority", str(control_plane.ca))
    with served_to_all(*server) as place:
        yield place


@pytest.fixture
def account(control_plane: ControlPlane, namespace: str, roles: None) -> Callable[..., str]:
    """Makes a service account with roles in the test's namespace; its token."""

    def made(name: str, *granted: str) -> str:
        here = ("-n", namespace)
        control_plane.kubectl("create", "serviceaccount", name, *here)
        for role in granted:
            subject = f"--serviceaccount={namespace}:{name}"
            control_plane.kubectl("create", "rolebinding", f"{name}-{role}", *here, f"--clusterrole={role}", subject)
        return control_plane.kubectl("create", "token", name, *here).stdout.strip()

    return made


@contextmanager
def _logged_in(browser: Browser, url: str, token: str) -> Iterator[Page]:
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(url)
        page.get_by_label("Token").fill(token)
        page.keyboard.press("Enter")
        yield page


def test_two_people_at_once_see_and_do_what_each_may(
    browser: Browser,
    url: str,
    account: Callable[..., str],
    namespace: str,
    jobs: Object,
    custom: client.CustomObjectsApi,
) -> None:
    here = f"{url}run/finetunejob/{namespace}/finch"
    ada, bob = account("ada", "swiftlet-edit", "view"), account("bob")
    with _logged_in(browser, here, ada) as hers, _logged_in(browser, here, bob) as his:
        expect(hers.get_by_text("step 40 of 100, loss 1.5")).to_be_visible()
        expect(hers.get_by_text(f"system:serviceaccount:{namespace}:ada")).to_be_visible()
        expect(his.get_by_role("alert").filter(has_text="403 Forbidden").first).to_be_visible()
        expect(his.get_by_role("button", name="Suspend …")).to_have_count(0)
        assert "loss 1.5" not in his.content()
        hers.get_by_role("button", name="Suspend …").click()
        hers.get_by_role("button", name="Suspend", exact=True).click()
        expect(hers.get_by_text("Suspend: done")).to_be_visible()
        found: Any = custom.get_namespaced_custom_object(*JOBS, namespace, "finetunejobs", "finch")
        assert found["spec"]["suspend"] is True
        hers.get_by_role("link", name="Runs").click()
        expect(hers.get_by_role("link", name="bird")).to_be_visible()
        his.get_by_role("link", name="Runs").click()
        expect(his.get_by_text("403 Forbidden").first).to_be_visible()


def test_an_account_that_is_deleted_is_logged_out(
    browser: Browser, url: str, account: Callable[..., str], namespace: str, jobs: Object, control_plane: ControlPlane
) -> None:
    """The API server believes a token for ten seconds after that."""
    with _logged_in(browser, f"{url}run/finetunejob/{namespace}/bird", account("leaver", "swiftlet-view")) as page:
        expect(page.get_by_text("BackoffLimitExceeded").first).to_be_visible()
        control_plane.kubectl("delete", "serviceaccount", "leaver", "-n", namespace)
        expect(page.get_by_role("alert").filter(has_text="no longer accepted")).to_be_visible()
        expect(page.get_by_text("BackoffLimitExceeded")).to_have_count(0)
