"""Tables as kubectl prints them."""

from swiftlet.cli.printing.table import render


def test_columns_are_as_wide_as_their_longest_cell() -> None:
    assert render(["Name", "Age"], [["bird", "5m"], ["a-longer-name", "3h"]]) == (
        "NAME            AGE\nbird            5m\na-longer-name   3h"
    )


def test_a_cell_stays_on_its_line() -> None:
    assert render(["Name", "Message"], [["bird", "two\nlines"]]).splitlines()[1] == "bird   two lines"


def test_without_heads_and_indented() -> None:
    assert render(["", ""], [["a", "b"]], header=False, indent="  ") == "  a   b"


def test_an_empty_table_has_only_heads() -> None:
    assert render(["Name", "Age"], []) == "NAME   AGE"
