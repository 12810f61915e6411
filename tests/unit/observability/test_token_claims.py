"""Whatever is sent as a token is either claims or one refusal."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from swiftlet.observability.token_claims import PodIdentity, UnauthenticatedError, claims_of

from .conftest import claims_document, signed

POD = PodIdentity("team", "bird-0", "uid-of-bird-0")
BOUND = claims_document("bird-0")["kubernetes.io"]


def test_what_a_projected_token_says() -> None:
    document = claims_document("bird-0")
    assert claims_of(signed(document), time.time()) == (POD, document["exp"])
    assert claims_of(signed(document | {"aud": "swiftlet-operator"}), time.time()).pod == POD


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"aud": ["https://kubernetes.default.svc"]}, "audience swiftlet-operator"),
        ({"aud": []}, "audience swiftlet-operator"),
        ({"aud": None}, "not a ServiceAccount token"),
        ({"exp": 1}, "expired"),
        ({"exp": "never"}, "not a ServiceAccount token"),
        ({"exp": None}, "not a ServiceAccount token"),
        ({"exp": 1e400}, "not a ServiceAccount token"),
        ({"nbf": 4e9}, "not valid yet"),
        ({"kubernetes.io": None}, "not a ServiceAccount token"),
        ({"kubernetes.io": {"namespace": "team"}}, "not bound to a pod"),
        ({"kubernetes.io": BOUND | {"pod": {"name": "bird-0"}}}, "not a ServiceAccount token"),
        ({"kubernetes.io": BOUND | {"pod": {"name": "b" * 254, "uid": "u"}}}, "not a ServiceAccount token"),
        ({"kubernetes.io": BOUND | {"namespace": ""}}, "not a ServiceAccount token"),
        ({"kubernetes.io": BOUND | {"namespace": ["team"]}}, "not a ServiceAccount token"),
    ],
)
def test_what_can_be_no_good_is_refused_without_asking(change: dict[str, Any], words: str) -> None:
    with pytest.raises(UnauthenticatedError, match=words):
        claims_of(signed(claims_document("bird-0") | change), time.time())


@pytest.mark.parametrize("token", ["", "abc", "a.b", "a.b.c.d", "a.b\n.c", "a.b.c", f"a.{'b' * 9000}.c"])
def test_what_is_no_token(token: str) -> None:
    with pytest.raises(UnauthenticatedError, match="not a ServiceAccount token"):
        claims_of(token, time.time())


@given(st.text() | st.from_regex(r"[\w-]+\.[\w-]+\.[\w-]+"))
def test_no_text_raises_anything_else(token: str) -> None:
    with pytest.raises(UnauthenticatedError):
        claims_of(token, time.time())


@given(
    st.binary(max_size=200)
    | st.sampled_from([b"[" * 5900, b'{"a":' * 1180, b'{"kubernetes.io":' + b"[" * 5000, b"\xff\xfe", b"null"])
)
def test_no_payload_raises_anything_else(payload: bytes) -> None:
    with pytest.raises(UnauthenticatedError):
        claims_of(signed(payload), time.time())
