"""Two nodes with a small image, for the tests of this folder alone."""

from collections.abc import Iterator

import pytest
from testbed import images
from testbed.nodes import Cluster


@pytest.fixture(scope="package")
def image() -> str:
    """Debian with Python, as pods name it."""
    return images.base()


@pytest.fixture(scope="package")
def bed(image: str) -> Iterator[Cluster]:
    """Two nodes that have the image."""
    with Cluster(nodes=2, images=[image]) as cluster:
        yield cluster


@pytest.fixture
def namespace(bed: Cluster, request: pytest.FixtureRequest) -> Iterator[str]:
    """A namespace for one test."""
    name = request.node.name.removeprefix("test_").replace("_", "-")[:60].strip("-")
    bed.kubectl("create", "namespace", name)
    yield name
    bed.kubectl("delete", "namespace", name, "--wait=false")
