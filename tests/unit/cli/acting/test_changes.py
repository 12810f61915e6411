from swiftlet.cli.acting.changes import changes


def test_fields_that_an_author_changes() -> None:
    before = {
        "kind": "FineTuneJob",
        "metadata": {"name": "bird", "generation": 1, "labels": {"a.b/c": "1"}},
        "spec": {"datasets": [{"uri": "a"}, {"uri": "b"}], "training": {"epochs": 1}},
        "status": {"observedGeneration": 1},
    }
    after = {
        "kind": "FineTuneJob",
        "metadata": {"name": "bird", "generation": 2, "labels": {"a.b/c": "2"}},
        "spec": {"datasets": [{"uri": "a"}, {"uri": "c"}], "training": {"seed": 3}, "suspend": True},
    }
    assert [str(change) for change in changes(before, after)] == [
        'metadata.labels[a.b/c]: "1" → "2"',
        'spec.datasets[1].uri: "b" → "c"',
        "spec.training.epochs: 1 → absent",
        "spec.training.seed: absent → 3",
        "spec.suspend: absent → true",
    ]


def test_values_of_secrets_are_not_shown() -> None:
    before, after = ({"kind": "Secret", "data": {"status": value}} for value in ("YQ==", "Yg=="))
    (change,) = changes(before, after)
    assert str(change) == "data.status"
    assert change._asdict() == {"field": "data.status", "before": None, "after": None}


def test_the_same_has_no_changes() -> None:
    before, after = ({"data": {"a": "1"}, "metadata": {"resourceVersion": version}} for version in ("1", "2"))
    assert changes(before, after) == []
