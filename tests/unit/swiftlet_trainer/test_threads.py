"""The wait policy of OpenMP."""

from swiftlet_trainer.threads import share_cores


def test_waiting_threads_soon_sleep() -> None:
    env: dict[str, str] = {}
    share_cores(env)
    assert env == {"GOMP_SPINCOUNT": "1000"}


def test_what_the_user_set_is_left_alone() -> None:
    for chosen in ({"GOMP_SPINCOUNT": "5"}, {"OMP_WAIT_POLICY": "ACTIVE"}):
        env = dict(chosen)
        share_cores(env)
        assert env == chosen
