"""What an unquoted YAML word means to Kubernetes.

kubectl reads YAML 1.1 with extensions (sigs.k8s.io/yaml, goyaml.v2 `resolve`): `on`, `yes` and `y` are booleans, `012`
and `0o12` are ten, `1e-4` is a number, dates and `1:30` stay text. tests/unit/documents/test_scalars.py holds the table
that sigs.k8s.io/yaml v1.6.0 answered.
"""

import base64
import binascii
import re
from typing import Any

_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"], True),
    **dict.fromkeys(["n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"], False),
    **dict.fromkeys(["", "~", "null", "Null", "NULL"], None),
}
_NOT_JSON = frozenset(
    [".nan", ".NaN", ".NAN", ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF"]
)
_INTEGER = re.compile(r"([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_MISPLACED = re.compile(r"(?<![0-9])_|_(?![0-9])")
"""An underscore that does not stand between digits; goyaml minds it only behind a leading point."""
_INT64 = 2**63
_TAG = "tag:yaml.org,2002:"
_TYPES: dict[str, tuple[type, ...]] = {
    "int": (int,), "float": (int, float), "bool": (bool,), "null": (type(None),),
}  # fmt: skip


def resolve(text: str) -> Any:
    """The value of a plain scalar: None, bool, int, float or str. Raises ValueError for infinity and NaN."""
    if text in _WORDS:
        return _WORDS[text]
    if text in _NOT_JSON:
        raise ValueError(f"{text} is not a number that JSON can hold; write a finite number")
    if text[0] == "." and _MISPLACED.search(text):
        return text
    if text[0] in "+-.0123456789":
        number = _number(text.replace("_", ""))
        return text if number is None else number
    return text


def tagged(text: str, tag: str) -> Any:
    """The value of a scalar with an explicit tag. Raises ValueError where text and tag do not fit."""
    name = tag.removeprefix(_TAG)
    if name == "binary":
        try:
            return base64.b64decode(text, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise ValueError("!!binary is not base64 of UTF-8 text") from None
    if name not in _TYPES:
        return text
    value = resolve(text)
    if type(value) not in _TYPES[name]:
        raise ValueError(f"{text!r} is not a value of !!{name}")
    return value


def _number(text: str) -> int | float | None:
    if match := _INTEGER.fullmatch(text):
        sign, hexadecimal, binary, octal, decimal = match.groups()
        digits, base = next((d, b) for d, b in ((hexadecimal, 16), (binary, 2), (octal, 8), (decimal, 10)) if d)
        value = int(digits, base) * (-1 if sign == "-" else 1)
        if -_INT64 <= value < (_INT64 if sign else 2 * _INT64):
            return value
    if _FLOAT.fullmatch(text):
        number = float(text)
        # JSON has one kind of number: 1e3 is the integer 1000 to the API server. Beyond float64 it stays text.
        if number in (float("inf"), float("-inf")):
            return None
        return int(number) if number.is_integer() and abs(number) < _INT64 else number
    return None
