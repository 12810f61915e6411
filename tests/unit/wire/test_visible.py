import pytest
from swiftlet.wire.visible import escaped, visible


@pytest.mark.parametrize(
    ("text", "token", "line"),
    [
        (" a\n\tb", "·a⏎⇥b", " a\\x0a\\x09b"),
        ("\x1b[31m", "\\x1b[31m", "\\x1b[31m"),
        ("\x9b2J", "\\x9b2J", "\\x9b2J"),
        ("\u202egp\u2066", "\\u202egp\\u2066", "\\u202egp\\u2066"),
        ("\u200b\ufeff\u00a0", "\\u200b\\ufeff\\xa0", "\\u200b\\ufeff\\xa0"),
        ("\ud83d", "\\ud83d", "\\ud83d"),
        ("\u0301e", "◌\u0301e", "\u0301e"),
        ("\u05e9x", "\u2068\u05e9x\u2069", "\u05e9x"),
        ("\U000e0041", "\\U000e0041", "\\U000e0041"),
        ("Ünï 🐦", "Ünï·🐦", "Ünï 🐦"),
    ],
)
def test_what_acts_or_hides_is_written_out(text: str, token: str, line: str) -> None:
    assert (visible(text), escaped(text)) == (token, line)
