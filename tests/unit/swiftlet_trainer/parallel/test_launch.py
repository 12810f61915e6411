"""Why the processes of a node ended."""

from typing import Any

import pytest
from swiftlet.wire.messages import EXIT_DIVERGED, EXIT_ERROR
from swiftlet_trainer.failures import Diverged
from swiftlet_trainer.parallel.environment import NodeEnvironment
from swiftlet_trainer.parallel.errors import ERROR_FILE_VARIABLE, write_failure
from swiftlet_trainer.parallel.launch import first_failure, launch_config
from torch.distributed.elastic.multiprocessing.errors import ProcessFailure


@pytest.fixture
def failed(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A process that left an error file, as torchrun sees it."""

    def make(rank: int, error: Exception, timestamp: int) -> ProcessFailure:
        path = tmp_path / f"{rank}.json"
        monkeypatch.setenv(ERROR_FILE_VARIABLE, str(path))
        code = write_failure(error).exit_code or EXIT_ERROR
        failure = ProcessFailure(local_rank=rank, pid=rank + 1, exitcode=code, error_file=str(path))
        failure.timestamp = timestamp
        return failure

    return make


def test_the_first_cause_by_time_and_not_what_followed_from_it(failed: Any) -> None:
    peer = RuntimeError("[gloo/transport/tcp/pair.cc:547] Connection closed by peer [127.0.0.1]:41234")
    failures = [failed(0, peer, 100), failed(1, ValueError("bad row"), 101), failed(2, ValueError("late"), 102)]
    found = first_failure(failures, {id(one): rank for rank, one in enumerate(failures)})
    assert (found.rank, found.reason, found.message) == (1, "ValueError", "ValueError: bad row")
    assert found.exit_code == EXIT_ERROR


def test_a_node_that_only_lost_its_peers_says_so(failed: Any) -> None:
    error = RuntimeError("[c10d] ProcessGroupGloo: Connection reset by peer")
    found = first_failure([failed(2, error, 100)], {})
    assert found.reason == "PeerFailed"
    assert "another process of the run went away" in found.message


def test_an_error_of_our_own_that_speaks_of_peers_is_a_cause(failed: Any) -> None:
    found = first_failure([failed(0, ValueError("Broken pipe while reading rows"), 100)], {})
    assert found.reason == "ValueError"


def test_known_failures_keep_their_exit_code(failed: Any) -> None:
    found = first_failure([failed(0, Diverged("the loss of step 3 is nan"), 100)], {})
    assert (found.reason, found.exit_code, found.traceback) == ("Diverged", EXIT_DIVERGED, None)


def test_one_node_meets_on_a_port_of_its_own_and_several_on_the_first_pod() -> None:
    alone = launch_config(NodeEnvironment(processes_per_node=2), "run")
    assert (alone.rdzv_endpoint, alone.nproc_per_node, alone.max_restarts) == ("localhost:0", 2, 0)
    second = launch_config(NodeEnvironment(2, 1, 1, "bird-0.bird", 21234), "run")
    assert (second.rdzv_backend, second.rdzv_endpoint) == ("static", "bird-0.bird:21234")
    assert second.rdzv_configs["rank"] == 1
