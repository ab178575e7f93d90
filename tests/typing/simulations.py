"""What a simulation answers: the scenario's own type, in whichever way it is written."""

from __future__ import annotations

from typing import Any, assert_type

from vocabulary import Counter, Get, Inc, Reserve, counter, shop

from effactor import ActorRef, Effect, Program, free_ask, perform, pure
from effactor.interpreters import Run, Simulation, Verdict, explore, replay, simulate


class Draw(Effect[int]):
    pass


count = free_ask(counter, Get())
draw = perform(Draw())


def scenario(sim: Simulation) -> int:
    one = sim.spawn(Counter, "counter")
    assert_type(one, ActorRef[Inc | Get])
    assert_type(sim.spawn(lambda: Counter(3)), ActorRef[Inc | Get])
    assert_type(sim.run(free_ask(one, Get())), int)
    assert_type(sim.run_all([free_ask(one, Get()), free_ask(one, Get())]), list[int])
    assert_type(sim.run(free_ask(shop, Reserve("tea")).attempt()).value_or(0), int)
    assert_type(sim.actor(one), Any)
    sim.spawn(3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    sim.run(draw)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    return 1


async def in_steps(sim: Simulation) -> str:
    one = await sim.system.spawn(Counter)
    assert_type(await sim.system.run_free(free_ask(one, Get())), int)
    return "done"


def silent(sim: Simulation) -> None:
    sim.always(lambda: True)


assert_type(simulate(count), Run[int])
assert_type(simulate(pure("a"), seed=1, time="async"), Run[str])
assert_type(simulate(scenario), Run[int])
assert_type(simulate(in_steps, 2), Run[str])
assert_type(simulate(silent), Run[None])
assert_type(simulate(scenario).value, int | None)
assert_type(simulate(lambda sim: sim.run(count)), Run[int])

assert_type(replay(count, "ef2:"), Run[int])
assert_type(replay(scenario, "ef2:"), Run[int])
assert_type(replay(in_steps, "ef2:"), Run[str])

assert_type(explore(count), Verdict)
assert_type(explore(scenario, schedules=10, time="latency"), Verdict)
assert_type(explore(in_steps), Verdict)
explore(draw)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
simulate(draw)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
simulate(count, time="real")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]


def unfinished(sim: Simulation) -> Program[int]:
    return pure(1)


# A scenario runs its programs itself; the one it returns is only a value.
assert_type(simulate(unfinished), Run[Program[int]])
