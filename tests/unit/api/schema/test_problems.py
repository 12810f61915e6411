from swiftlet.api.schema.problems import InvalidDocuments, Problem, Source, field_path, shown


def test_a_problem_is_one_line_with_place_field_rule_and_remedy() -> None:
    problem = Problem("examples/x.yaml", 12, "spec.training.epoch", None, "unknown field", "did you mean epochs?")
    assert str(problem) == "examples/x.yaml:12: spec.training.epoch: unknown field; did you mean epochs?"


def test_a_problem_shows_the_value_before_the_rule() -> None:
    assert (
        str(Problem("x.yaml", 3, "spec.seed", "-1", "must be at least 0"))
        == "x.yaml:3: spec.seed: -1 must be at least 0"
    )


def test_a_problem_of_a_whole_file_has_neither_line_nor_field() -> None:
    assert str(Problem("x.yaml", None, "", None, "is not UTF-8")) == "x.yaml: is not UTF-8"


def test_invalid_documents_print_every_problem_by_file_and_line() -> None:
    problems = [Problem("b", 1, "", None, "r1"), Problem("a", 9, "", None, "r2"), Problem("a", 2, "", None, "r3")]
    assert str(InvalidDocuments(problems)) == "a:2: r3\na:9: r2\nb:1: r1"


def test_a_field_that_the_file_lacks_has_the_line_of_its_nearest_parent() -> None:
    source = Source("x", {(): 1, ("spec",): 4, ("spec", "model"): 5})
    assert source.line(("spec", "model", "uri")) == 5
    assert source.line(("spec", "datasets", 0)) == 4
    assert source.line(("status",)) == 1


def test_paths_put_indices_and_dotted_keys_in_brackets() -> None:
    assert field_path(("spec", "datasets", 0, "uri")) == "spec.datasets[0].uri"
    assert field_path(("spec", "nodeSelector", "example.org/pool")) == "spec.nodeSelector[example.org/pool]"
    assert field_path(()) == ""


def test_long_values_are_shortened() -> None:
    assert len(shown("x" * 500)) == 80
    assert shown({"a": "é"}) == '{"a": "é"}'
