"""What each order of delivery permits, exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from typing_extensions import override

from effactor import Actor, ActorRef, Do, free_ask, free_tell, handler, program
from effactor.interpreters import explore, replay, simulate

if TYPE_CHECKING:
    from effactor.interpreters import Simulation


class Log(Actor[str]):
    def __init__(self) -> None:
        self.seen = ""

    @override
    def on_receive(self, message: str) -> None:
        self.seen += message


class Relay(Actor[str]):
    def __init__(self, to: ActorRef[str]) -> None:
        self.to = to

    @handler
    def receive(self, message: str) -> Any:
        return free_tell(self.to, message.upper())


@program
def triangle(log: ActorRef[str], relay: ActorRef[str]) -> Do[None]:
    yield from free_tell(log, "a")
    yield from free_tell(relay, "b")


@program
def pair(log: ActorRef[str]) -> Do[None]:
    yield from free_tell(log, "a")
    yield from free_tell(log, "b")


def orders(delivery: Any, scenario: Any) -> set[str]:
    seen: set[str] = set()

    def once(sim: Simulation) -> None:
        seen.add(scenario(sim))

    assert explore(once, 5000, strategy="exhaustive", delivery=delivery).exhausted
    return seen


def over_relay(sim: Simulation) -> str:
    log = sim.spawn(Log, "log")
    relay = sim.spawn(lambda: Relay(log), "relay")
    sim.run(triangle(log, relay))
    sim.settle()
    return str(sim.actor(log).seen)


def of_one_sender(sim: Simulation) -> str:
    log = sim.spawn(Log, "log")
    sim.run(pair(log))
    sim.settle()
    return str(sim.actor(log).seen)


def one_after_another(sim: Simulation) -> str:
    log = sim.spawn(Log, "log")
    for text in "ab":
        sim.run(free_tell(log, text))
    sim.settle()
    return str(sim.actor(log).seen)


@pytest.mark.parametrize(
    ("delivery", "relayed", "sent", "told"),
    [
        ("fifo", {"aB", "Ba"}, {"ab"}, {"ab", "ba"}),
        ("causal", {"aB"}, {"ab"}, {"ab"}),
        ("unordered", {"aB", "Ba"}, {"ab", "ba"}, {"ab", "ba"}),
    ],
)
def test_each_order_permits_what_it_says_and_nothing_else(
    delivery: Any, relayed: set[str], sent: set[str], told: set[str]
) -> None:
    assert orders(delivery, over_relay) == relayed
    assert orders(delivery, of_one_sender) == sent
    assert orders(delivery, one_after_another) == told


def test_asks_pass_causally_what_they_bring_about() -> None:
    def scenario(sim: Simulation) -> str:
        log = sim.spawn(Log, "log")
        relay = sim.spawn(lambda: Relay(log), "relay")

        @program
        def asks() -> Do[None, Any]:
            yield from free_ask(relay, "a")  # which tells the log before it replies
            yield from free_tell(log, "b")

        sim.run(asks())
        sim.settle()
        return str(sim.actor(log).seen)

    assert orders("fifo", scenario) == {"Ab", "bA"}
    assert orders("causal", scenario) == {"Ab"}


def test_a_token_remembers_the_order_of_delivery() -> None:
    def wrong(sim: Simulation) -> None:
        assert of_one_sender(sim) == "ab"

    failure = explore(wrong, delivery="unordered").failure
    assert failure is not None
    assert repr(replay(wrong, failure.token).error) == repr(failure.error)
    for seed in range(10):
        run = simulate(of_one_sender, seed=seed, delivery="unordered")
        assert replay(of_one_sender, run.token).digest == run.digest
