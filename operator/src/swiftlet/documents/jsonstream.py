"""JSON objects one behind another, as `kubectl get -o json` of several and programs write them."""

import json

_SPACE = " \t\r\n"
_DECODER = json.JSONDecoder()


def json_texts(text: str) -> list[tuple[str, int]]:
    """Each object of a stream of JSON objects, and how many lines come before it; else the text as it is.

    The last part is given as it is, also when it is no sound JSON: whoever parses it says why.
    Source: apimachinery, NewYAMLOrJSONDecoder, which takes what begins with a brace for JSON.
    """
    parts, at = list[tuple[str, int]](), _skipped(text, 0)
    while at < len(text) and text[at] == "{":
        try:
            _, end = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError):
            end = len(text)
        parts.append((text[at:end], text.count("\n", 0, at)))
        at = _skipped(text, end)
    # What goes on in another way is YAML: a flow map, or documents with --- between them.
    return parts if at == len(text) and len(parts) > 1 else [(text, 0)]


def _skipped(text: str, at: int) -> int:
    while at < len(text) and text[at] in _SPACE:
        at += 1
    return at
