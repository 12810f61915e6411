"""`swiftlet ui` in a real browser: what is shown, by whom, how wide, and with which keys."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from testbed.pages import served

from .conftest import HOSTILE, JOB, RUNS

NARROW, WIDE = 360, 1280
TABS = {
    "finetunejob/default/bird": ("State", "Curves", "Data", "Lineage", "Events", "Logs"),
    "evalrun/default/exam": ("State", "Evaluation", "Answers", "Lineage", "Events", "Logs"),
    "modeldeployment/default/bird": ("State", "Lineage", "Events", "Logs"),
}
SHOWN = {
    "State": "Trained|Evaluated|Available",
    "Curves": "Runs",
    "Data": "Dropped",
    "Lineage": "finetunejob/bird",
    "Events": "Odd|nothing has happened yet",
    "Logs": "onerror|no pod has started yet|the pods are gone",
    "Evaluation": "contains",
    "Answers": "before <img",
}
"""What tells that a tab is there, as a pattern."""


@pytest.fixture(params=[(WIDE, "light"), (NARROW, "dark")], ids=["wide and light", "narrow and dark"])
def page(request: pytest.FixtureRequest, browser: Browser, url: str) -> Iterator[Page]:
    """The first page. What goes wrong in the browser, or is fetched from elsewhere, fails the test."""
    width, scheme = request.param
    context = browser.new_context(viewport={"width": width, "height": 740}, color_scheme=scheme)
    opened = context.new_page()
    wrong: list[str] = []
    opened.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on("request", lambda asked: None if _is_own(asked.url) else wrong.append(f"asked for {asked.url}"))
    opened.goto(url)
    expect(opened.get_by_role("link", name=JOB).first).to_be_visible()
    yield opened
    assert opened.evaluate("window.hacked") is None, "a text became markup"
    assert wrong == []
    context.close()


def _is_own(url: str) -> bool:
    return re.match(r"(http|ws)://127\.0\.0\.1:|data:|blob:", url) is not None


def _at(page: Page, path: str) -> None:
    page.goto(re.sub(r"(://[^/]+)/.*", rf"\1/{path}", page.url))


@pytest.mark.parametrize("run", TABS)
def test_every_tab_shows_texts_as_texts_and_fits(page: Page, run: str) -> None:
    _at(page, f"run/{run}")
    for title in TABS[run]:
        page.get_by_role("tab", name=title, exact=True).click()
        panel = page.get_by_role("main").or_(page.locator("body")).first
        expect(panel).to_contain_text(re.compile(SHOWN[title]))
        width = page.viewport_size["width"] if page.viewport_size else 0
        assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{title} is wider than the window"
    assert page.locator("img[onerror]").count() == 0


def test_runs_lie_over_each_other_and_a_new_step_comes_by_itself(page: Page, state: Path) -> None:
    _at(page, f"run/finetunejob/default/{JOB}")
    page.get_by_role("tab", name="Curves").click()
    chart = page.locator(".nicegui-echart [aria-label], .nicegui-echart[aria-label], [aria-label*='bird']").first
    expect(chart).to_have_attribute("aria-label", re.compile(r"2\.5"))
    page.get_by_label("Runs").click()
    page.get_by_role("option", name="swift").click()
    expect(chart).to_have_attribute("aria-label", re.compile(r"1\.25"))
    page.keyboard.press("Escape")
    with (state / RUNS / JOB / "events.jsonl").open("a") as history:
        history.write(json.dumps({"type": "progress", "step": 3, "loss": "0.0625"}) + "\n")
    expect(chart).to_have_attribute("aria-label", re.compile(r"0\.0625"))


def test_it_works_by_keyboard_alone(page: Page) -> None:
    _tab_to(page, JOB)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"/run/finetunejob/default/{JOB}$"))
    expect(page.get_by_role("tab", name="Data")).to_be_visible()
    _tab_to(page, "State")
    for _ in range(2):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Dropped")).to_be_visible()


def _tab_to(page: Page, text: str) -> None:
    for _ in range(20):
        page.keyboard.press("Tab")
        if str(page.evaluate("document.activeElement.innerText")).strip().lower() == text.lower():
            return
    raise AssertionError(f"no key leads to {text}")


def test_two_models_answer_side_by_side_and_remember(page: Page) -> None:
    page.get_by_role("link", name="Chat").click()
    for turns in (1, 3):
        page.get_by_label("Question").fill("Who are you?")
        page.keyboard.press("Enter")
        for name in (JOB, HOSTILE):
            expect(page.get_by_text(f"{name} heard {turns} {HOSTILE}", exact=True)).to_be_visible()


def test_it_deletes_only_after_a_question_and_not_below_an_engine(page: Page) -> None:
    _at(page, "run/finetunejob/default/swift")
    page.get_by_role("button", name="Delete …").click()
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Delete …").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_role("alert").filter(has_text="stop it with Ctrl-C first")).to_be_visible()


def test_names_that_there_are_not_are_told_as_text(page: Page) -> None:
    _at(page, "run/finetunejob/default/%3Cimg src=x onerror=window.hacked=1%3E")
    expect(page.get_by_text("not found; there are: bird, swift").first).to_be_visible()


def test_a_report_runs_no_scripts(browser: Browser, url: str) -> None:
    with browser.new_context() as context:
        opened = context.new_page()
        opened.goto(url)
        _at(opened, "report/evalrun/default/exam")
        expect(opened.get_by_role("heading")).to_have_text("A report")
        assert opened.title() != "hacked"


def test_without_the_token_nothing_is_shown(browser: Browser, url: str) -> None:
    with browser.new_context() as context:
        opened = context.new_page()
        answer = opened.goto(url.partition("?")[0])
        assert answer is not None
        assert answer.status == 403
        assert "open the URL that `swiftlet ui` printed" in opened.content()
        assert JOB not in opened.content()


def test_an_open_page_goes_on_as_little_as_its_server(
    browser: Browser, state: Path, free_port: Callable[[], int]
) -> None:
    port = free_port()
    with browser.new_context() as context:
        opened = context.new_page()
        with served("--state", str(state), port=port) as first:
            opened.goto(first)
            expect(opened.get_by_role("link", name=JOB).first).to_be_visible()
        with served("--state", str(state), port=port) as second:
            opened.reload()
            expect(opened.get_by_role("heading")).to_have_text("403 Forbidden")
            opened.goto(second)
            expect(opened.get_by_role("link", name=JOB).first).to_be_visible()
