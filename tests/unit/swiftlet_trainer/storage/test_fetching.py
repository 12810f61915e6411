import pytest
from swiftlet.wire.documents import ResolvedModel
from swiftlet_trainer.failures import InvalidInput
from swiftlet_trainer.storage.fetching import fetch


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("pvc://claim/model", "model pvc://claim/model: has no path, and nothing here fetches it; plan the job again"),
        ("tape://shelf/model", "model tape://shelf/model: has no path, and nothing here fetches it"),
        ("hf://org/name", "model hf://org/name: neither path nor repoId"),
    ],
)
def test_what_nothing_fetches_is_refused(uri: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        fetch(ResolvedModel(uri=uri))
