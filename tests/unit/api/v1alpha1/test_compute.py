import pytest
from swiftlet.api.v1alpha1.compute import ResourceRequirements, exact_quantity, mebibytes, parse_quantity


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("500m", 0.5),
        ("2", 2),
        ("1.5", 1.5),
        ("8Gi", 8 * 2**30),
        ("8G", 8e9),
        ("1e3", 1000),
        ("1E3", 1000),
        ("2E", 2e18),
    ],
)
def test_quantities_are_numbers_of_base_units(text: str, number: float) -> None:
    assert parse_quantity(text) == number


@pytest.mark.parametrize("text", ["", "8 GB", "8gb", "Gi", "-1", "1.2.3", "0x10", "1,5"])
def test_other_text_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="is not a quantity; write one such as 500m, 2 or 8Gi"):
        parse_quantity(text)


def test_an_integer_is_held_as_the_string_that_means_the_same() -> None:
    held = ResourceRequirements.model_validate_json('{"limits": {"cpu": 2, "memory": "8Gi"}}', strict=True)
    assert held.limits == {"cpu": "2", "memory": "8Gi"}


@pytest.mark.parametrize(
    ("count", "text"), [(1, "1Mi"), (1024, "1Gi"), (1536, "1536Mi"), (262144, "256Gi"), (0, "0Mi"), (1 << 30, "1024Ti")]
)
def test_mebibytes_in_the_api_servers_own_form(count: int, text: str) -> None:
    assert mebibytes(count) == text


@pytest.mark.parametrize(("one", "other"), [("1100m", "1.1"), ("0.1", "100m"), ("1Gi", "1024Mi"), ("1e3", "1k")])
def test_equal_quantities_are_equal_however_they_are_written(one: str, other: str) -> None:
    assert exact_quantity(one) == exact_quantity(other)
