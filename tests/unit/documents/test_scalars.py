"""What Kubernetes reads: the answers of sigs.k8s.io/yaml v1.6.0 (YAMLToJSON), which kubectl v0.36 reads files with."""

from typing import Any

import pytest
from swiftlet.documents.scalars import resolve, tagged

ANSWERS: dict[str, Any] = {
    # booleans of YAML 1.1, in three spellings each
    **dict.fromkeys(["on", "On", "ON", "yes", "Yes", "YES", "y", "Y", "true", "True", "TRUE"], True),
    **dict.fromkeys(["off", "Off", "OFF", "no", "No", "NO", "n", "N", "false", "False", "FALSE"], False),
    **{word: word for word in ["oN", "yEs", "tRUE", "nULL", "enabled"]},
    **dict.fromkeys(["", "~", "null", "Null", "NULL"], None),
    # numbers; one without a fraction is an integer, however it is written
    "1e-4": 0.0001, "4e-4": 0.0004, "1e3": 1000, "1E5": 100000, "1.5e3": 1500, "1.0": 1, "1.": 1, ".5": 0.5,
    "-.5": -0.5, "+1": 1, "+1.5": 1.5, "-0": 0, "0": 0,
    "0.1": 0.1, "09.5": 9.5, "08": 8, "1e": "1e", "e1": "e1", "0e1": 0,
    "012": 10, "-012": -10, "0o17": 15, "-0o17": -15, "0O17": 15, "0o8": "0o8", "0o": "0o", "00": 0,
    "0x1F": 31, "0X1F": 31, "-0x1F": -31, "0x": "0x", "0x1p-2": "0x1p-2",
    "0b101": 5, "-0b101": -5, "0b": "0b", "0b2": "0b2",
    # underscores
    "1_000": 1000, "1_": 1, "1__0": 10, "_1": "_1", "0x_1F": 31, "1_000.5": 1000.5, ".5_0": 0.5,
    "._5": "._5", ".3_": ".3_",
    # the ends of the ranges
    "9223372036854775807": 2**63 - 1, "18446744073709551615": 2**64 - 1, "18446744073709551616": 2.0**64,
    "123456789012345678901234567890": 1.2345678901234568e29, "1e400": "1e400",
    # text
    "1:30": "1:30", "190:20:30": "190:20:30", "2001-01-01": "2001-01-01", "1.5.2": "1.5.2", ".": ".", "<<": "<<",
    "NaN": "NaN", "inf": "inf", "Infinity": "Infinity", "=": "=",
}  # fmt: skip


@pytest.mark.parametrize(("text", "value"), ANSWERS.items())
def test_plain_words_mean_what_they_mean_to_kubernetes(text: str, value: Any) -> None:
    assert resolve(text) == value
    assert type(resolve(text)) is type(value)


@pytest.mark.parametrize("text", [".inf", "-.inf", "+.INF", ".nan", ".NaN"])
def test_what_json_cannot_hold_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a number that JSON can hold"):
        resolve(text)


@pytest.mark.parametrize(
    ("text", "tag", "value"),
    [
        ("1", "tag:yaml.org,2002:str", "1"),
        ("on", "tag:yaml.org,2002:str", "on"),
        ("1", "tag:yaml.org,2002:int", 1),
        ("1", "tag:yaml.org,2002:float", 1),
        ("yes", "tag:yaml.org,2002:bool", True),
        ("aGk=", "tag:yaml.org,2002:binary", "hi"),
        ("2001-01-01", "tag:yaml.org,2002:timestamp", "2001-01-01"),
        ("1", "!own", "1"),
        ("1", "!", "1"),
    ],
)
def test_tags_decide(text: str, tag: str, value: Any) -> None:
    assert tagged(text, tag) == value
    assert type(tagged(text, tag)) is type(value)


@pytest.mark.parametrize(
    ("text", "name"), [("on", "int"), ("on", "float"), ("1.5", "int"), ("x", "null"), ("1", "bool"), ("??", "binary")]
)
def test_text_that_does_not_fit_its_tag_is_refused(text: str, name: str) -> None:
    with pytest.raises(ValueError, match=name):
        tagged(text, f"tag:yaml.org,2002:{name}")
