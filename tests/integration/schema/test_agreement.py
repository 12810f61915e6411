"""The API server and the local validation give the same verdict, and name the same field."""

import copy
from typing import Any

from swiftlet.api.validation import validate

Object = dict[str, Any]


def test_both_refuse_it_and_name_the_field(refused_case: tuple[Object, Object], server: Any, change: Any) -> None:
    base, case = refused_case
    document = change(base, case)
    answer, problems = server.create(copy.deepcopy(document)), validate(document)
    assert answer.refused, "the API server accepts it"
    assert "unnamed" in case or answer.names(case["field"]), answer.said
    assert [problem for problem in problems if problem.field.startswith(case["field"])], [*map(str, problems)]


def test_both_accept_it(accepted_case: tuple[Object, Object], server: Any, change: Any) -> None:
    base, case = accepted_case
    document = change(base, case)
    answer = server.create(copy.deepcopy(document))
    assert not answer.refused, answer.said
    assert validate(document) == []
