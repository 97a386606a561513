"""A run killed with SIGKILL at random points loses nothing and pays again for nothing but what was in flight."""

from bench.resume import run


def test_fifty_kills_lose_nothing_and_repeat_only_what_was_in_flight() -> None:
    found = run()
    assert found["kills"] >= 50
    assert (found["lost"], found["twice"], found["different"]) == (0, 0, 0)
    assert found["repeated"] <= found["in_flight_at_most"]
