import re

import pytest
from swiftlet.api.v1alpha1.uris import DATA_URI_PATTERN, MODEL_URI_PATTERN
from swiftlet.storage.registry import SCHEMES, parse_uri, scheme_of
from swiftlet.storage.scheme import Scheme
from swiftlet.storage.uri import Uri

WRITTEN = [
    (scheme.name, pattern, form.written)
    for scheme in SCHEMES.values()
    for pattern, form in ((DATA_URI_PATTERN, scheme.data), (MODEL_URI_PATTERN, scheme.model))
    if form and "://" in form.written
]


@pytest.mark.parametrize(("name", "pattern", "written"), WRITTEN)
def test_what_people_are_told_to_write_is_accepted_and_read(name: str, pattern: str, written: str) -> None:
    for text in {re.sub(r"\[.*\]", "", written), written.replace("[", "").replace("]", "")}:
        assert re.fullmatch(pattern, text)
        assert parse_uri(text).scheme == name


def test_a_text_without_a_scheme_is_a_local_path() -> None:
    assert [name for name, scheme in SCHEMES.items() if scheme.is_local] == [parse_uri("a/b").scheme]


def test_a_scheme_that_nobody_knows_names_nothing_and_is_nowhere() -> None:
    uri = parse_uri("tape://shelf/7/model")
    assert uri == Uri("tape", "shelf", "7/model")
    assert type(scheme_of(uri)) is Scheme
    assert (scheme_of(uri).object, scheme_of(uri).hub_name(uri), scheme_of(uri).is_local) == (None, None, False)
