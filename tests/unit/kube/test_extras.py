"""Kinds that come and go while the operator works."""

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest
from swiftlet.kinds.frame.reading import OWNER_LABEL
from swiftlet.kube.cache import Cache
from swiftlet.kube.client import ApiError
from swiftlet.kube.extras import Extras
from swiftlet.kube.paths import EXTRA_TYPES
from swiftlet.kube.relisting import selector_of

RUN = {
    "apiVersion": "swiftlet.dev/v1alpha1",
    "kind": "FineTuneJob",
    "metadata": {"name": "bird", "namespace": "team", "uid": "ftj", "resourceVersion": "1"},
}
JOBSET = {
    "apiVersion": "jobset.x-k8s.io/v1alpha2",
    "kind": "JobSet",
    "metadata": {
        "name": "bird-train-0",
        "namespace": "team",
        "uid": "js",
        "resourceVersion": "2",
        "ownerReferences": [{"kind": "FineTuneJob", "name": "bird", "uid": "ftj", "controller": True}],
    },
}


class Cluster:
    """The API server, what is asked of it, and who is woken."""

    def __init__(self) -> None:
        self.kinds: set[str] | ApiError = set()
        self.cache, self.woken, self.gone, self.watched = Cache(), list[Any](), list[str](), list[str]()
        self.refuses: ApiError | None = None
        self.breaks: Exception | None = None
        self.cache.put(RUN)

    async def served(self, api_version: str) -> set[str]:
        assert api_version == "jobset.x-k8s.io/v1alpha2"
        if isinstance(self.kinds, ApiError):
            raise self.kinds
        return self.kinds

    async def once(self, kinds: Iterable[str]) -> None:
        if self.refuses:
            raise self.refuses
        assert list(kinds) == ["JobSet"]
        self.cache.put(JOBSET)

    async def run(self, kinds: Iterable[str]) -> None:
        self.watched += kinds
        if self.breaks:
            raise self.breaks
        try:
            await asyncio.Event().wait()
        finally:
            self.watched.clear()

    def wake_all(self, kind: str) -> None:
        self.woken += self.cache.keys(kind)

    def dropped(self, manifest: dict[str, Any]) -> None:
        self.gone.append(manifest["metadata"]["name"])

    def extras(self, *kinds: str) -> Extras:
        here: Any = self
        return Extras(here, here, here, here, kinds)


def test_a_kind_is_followed_while_it_is_served_and_forgotten_with_its_objects() -> None:
    cluster = Cluster()

    async def follow() -> None:
        extras = cluster.extras("JobSet")
        await extras.look()
        assert not extras.serves("JobSet") and not cluster.woken
        cluster.kinds = {"JobSet"}
        for _ in range(2):
            await extras.look()
            await asyncio.sleep(0)
        assert extras.serves("JobSet") and cluster.watched == ["JobSet"]
        assert cluster.woken == [("FineTuneJob", "team", "bird")], "once: what waits for it is looked at"
        assert cluster.cache.count("JobSet") == 1
        cluster.kinds = ApiError(503, "Unavailable", "later")
        with pytest.raises(ApiError, match="later"):
            await extras.look()
        assert extras.serves("JobSet"), "nobody said that it is gone"
        cluster.kinds = set()
        await extras.look()
        await asyncio.sleep(0)
        assert not extras.serves("JobSet") and not cluster.watched
        assert cluster.gone == ["bird-train-0"] and cluster.cache.count("JobSet") == 0
        assert len(cluster.woken) == 2

    asyncio.run(follow())


def test_a_kind_that_may_not_be_listed_is_not_used() -> None:
    cluster = Cluster()
    cluster.kinds, cluster.refuses = {"JobSet"}, ApiError(403, "Forbidden", "no")
    extras = cluster.extras("JobSet")
    asyncio.run(extras.look())
    assert not extras.serves("JobSet") and not cluster.watched


def test_nothing_is_asked_where_nothing_is_to_be_used() -> None:
    cluster = Cluster()
    cluster.kinds = ApiError(500, "Asked", "it was asked")
    extras = cluster.extras()

    async def run() -> None:
        task = asyncio.create_task(extras.run(pause=0.0))
        await asyncio.sleep(0.01)
        assert not task.done()
        task.cancel()

    asyncio.run(run())


@pytest.mark.parametrize("code", [0, 401, 429, 503])
def test_who_asks_hears_that_nobody_has_answered(code: int) -> None:
    """A new leader then lists again: what was made before must not be taken for gone."""
    cluster = Cluster()
    cluster.kinds = ApiError(code, "Later", "nobody answers")
    with pytest.raises(ApiError, match="nobody answers"):
        asyncio.run(cluster.extras("JobSet").look())


def test_asking_goes_on_where_nobody_answers_and_ends_where_a_watch_has_ended() -> None:
    cluster = Cluster()
    cluster.kinds, cluster.breaks = ApiError(503, "Unavailable", "later"), RuntimeError("a watch has broken")

    async def run() -> None:
        task = asyncio.create_task(cluster.extras("JobSet").run(pause=0.0))
        await asyncio.sleep(0.01)
        assert not task.done()
        cluster.kinds = {"JobSet"}
        with pytest.raises(RuntimeError, match="a watch has broken"):
            await asyncio.wait_for(task, 10)

    asyncio.run(run())


@pytest.mark.parametrize("kind", EXTRA_TYPES)
def test_only_objects_with_our_label_are_listed_and_followed(kind: str) -> None:
    assert selector_of(kind) == OWNER_LABEL
