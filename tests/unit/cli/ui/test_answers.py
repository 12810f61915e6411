"""By which names a page is asked."""

import pytest
from swiftlet.cli.ui.answers import cookies, is_loopback, is_own_host


@pytest.mark.parametrize("header", ["127.0.0.1:8410", "localhost", "[::1]:8410", "10.0.0.7:1", "Box:80"])
def test_own_names(header: str) -> None:
    assert is_own_host(header, ["box"])


@pytest.mark.parametrize("header", ["", "evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "[::1"])
def test_other_names(header: str) -> None:
    assert not is_own_host(header, ["box"])


@pytest.mark.parametrize("header", ["127.0.0.1:8410", "localhost:80", "[::1]:8410"])
def test_names_of_the_browsers_own_machine(header: str) -> None:
    assert is_loopback(header)


@pytest.mark.parametrize("header", ["", "10.0.0.7", "box", "localhost.evil.example", "[::1"])
def test_names_of_other_machines(header: str) -> None:
    assert not is_loopback(header)


@pytest.mark.parametrize("others", ['a={"b": 1}', "flag", "path=/x", 'a=b; c="d e"', "", "ä=ö"])
def test_cookies_of_other_pages_of_the_domain_hide_none(others: str) -> None:
    assert cookies(f"{others}; own=secret")["own"] == "secret"
