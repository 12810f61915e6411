"""Which keys are no files of a folder."""

from swiftlet_trainer.storage.transfer import outside


def test_keys_that_would_be_written_elsewhere() -> None:
    leaving = ["../model.json", "a/../../b.json", "/etc/x.json", "//etc/x.json", ".."]
    assert outside(["model.json", "a/b.json", "..a/b..json", "a//b.json", *leaving]) == leaving
