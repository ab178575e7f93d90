"""What crosses the border of a simulation is virtual, or refused with the line that did it."""

# ruff: noqa: PLW0108 - a lambda looks the name up when it is called: inside

from __future__ import annotations

import io
import logging
import logging.handlers
import os
import pickle
import queue
import random
import re
import subprocess
import sys
import threading
import time
import uuid
from datetime import UTC, datetime, timedelta, timezone
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest
from simulation import time_by_name as by_name

from effactor import Actor, free_ask, handler
from effactor.errors import EscapedEffect
from effactor.interpreters import Simulation, explore, simulate

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BEGIN = datetime(2000, 1, 1, tzinfo=UTC)
EPOCH = BEGIN.timestamp()
LOCAL = datetime.fromtimestamp(EPOCH)  # noqa: DTZ006 - as naive as what is tested


class Doer(Actor[Any]):
    """Calls in its handler whatever it is sent."""

    @handler
    def do(self, message: tuple[Any]) -> Any:
        return message[0]()


def in_a_handler(function: Callable[[], Any], seed: int = 0) -> Any:
    """Call *function* in an actor's handler, in a simulation."""

    def scenario(sim: Simulation) -> Any:
        return sim.run(free_ask(sim.spawn(Doer, "doer"), (function,)))

    run = simulate(scenario, seed)
    if run.error is not None:
        raise run.error
    return run.value


CLOCKS: dict[str, tuple[Callable[[], Any], Any]] = {
    "time": (lambda: time.time(), EPOCH),
    "time_ns": (lambda: time.time_ns(), int(EPOCH) * 10**9),
    "monotonic": (lambda: time.monotonic(), 0.0),
    "monotonic_ns": (lambda: time.monotonic_ns(), 0),
    "perf_counter": (lambda: time.perf_counter(), 0.0),
    "perf_counter_ns": (lambda: time.perf_counter_ns(), 0),
    "process_time": (lambda: time.process_time(), 0.0),
    "process_time_ns": (lambda: time.process_time_ns(), 0),
    "gmtime": (lambda: time.gmtime()[:6], (2000, 1, 1, 0, 0, 0)),
    "asctime": (lambda: time.asctime(), LOCAL.ctime()),
    "strftime": (lambda: time.strftime("%Y-%j"), LOCAL.strftime("%Y-%j")),
    "datetime.now": (lambda: datetime.now(), LOCAL),  # noqa: DTZ005
    "datetime.now(UTC)": (lambda: datetime.now(UTC), BEGIN),
    "datetime.utcnow": (
        lambda: datetime.utcnow(),  # noqa: DTZ003  # pyright: ignore[reportDeprecated]
        BEGIN.replace(tzinfo=None),
    ),
    "datetime.today": (lambda: datetime.today(), LOCAL),  # noqa: DTZ002
    "date.today": (lambda: by_name.dt.date.today(), LOCAL.date()),
    "by name: time": (lambda: by_name.time(), EPOCH),
    "by name: monotonic": (lambda: by_name.monotonic(), 0.0),
    "by name: datetime": (lambda: by_name.datetime.now(UTC), BEGIN),
    "by name: the module datetime": (lambda: by_name.dt.datetime.now(UTC), BEGIN),
}
if hasattr(time, "clock_gettime"):
    CLOCKS["clock_gettime"] = (lambda: time.clock_gettime(time.CLOCK_REALTIME), EPOCH)
    CLOCKS["clock_gettime_ns"] = (lambda: time.clock_gettime_ns(time.CLOCK_MONOTONIC), 0)


@pytest.mark.parametrize("name", CLOCKS)
def test_a_clock_shows_virtual_time(name: str) -> None:
    read, expected = CLOCKS[name]
    assert in_a_handler(read) == expected
    # And the real one again afterwards.
    assert type(read()) is type(expected)
    assert read() != expected


def test_sleeping_moves_every_clock_and_takes_no_time() -> None:
    def sleeps() -> tuple[float, datetime]:
        time.sleep(1800)
        by_name.sleep(1800)
        return time.time() - EPOCH, datetime.now(UTC)

    assert in_a_handler(sleeps) == (3600, BEGIN + timedelta(hours=1))


CHANCE: dict[str, Callable[[], Any]] = {
    "random": lambda: random.random(),
    "Random()": lambda: random.Random().random(),
    "seed()": lambda: (random.seed(), random.random())[1],
    "SystemRandom": lambda: random.SystemRandom().random(),
    "urandom": lambda: os.urandom(8),
    "uuid1": lambda: str(uuid.uuid1()),
    "uuid4": lambda: str(uuid.uuid4()),
    "by name: Random": lambda: by_name.Random().random(),
    "by name: random": lambda: by_name.random(),
    "by name: token_hex": lambda: by_name.token_hex(),
    "by name: urandom": lambda: by_name.urandom(8),
    "by name: uuid1": lambda: str(by_name.uuid1()),
    "by name: uuid4": lambda: str(by_name.uuid4()),
}
if hasattr(os, "getrandom"):
    CHANCE["getrandom"] = lambda: os.getrandom(8)


@pytest.mark.parametrize("name", CHANCE)
def test_chance_comes_from_the_seed(name: str) -> None:
    draw = CHANCE[name]
    first = in_a_handler(draw)
    assert in_a_handler(draw) == first, "the same seed"
    assert in_a_handler(draw, seed=1) != first, "another seed"
    assert draw() != draw(), "the real one"


def test_uuid1_tells_the_virtual_time_and_is_unique_within_a_step() -> None:
    one, other = in_a_handler(lambda: (uuid.uuid1(), uuid.uuid1()))
    assert one != other
    assert one.version == 1
    assert one.time == int(EPOCH * 10**7) + 0x01B21DD213814000


REFUSED: dict[str, Callable[[], Any]] = {
    "Thread.start": lambda: threading.Thread(target=print).start(),
    "subprocess.Popen": lambda: subprocess.run([sys.executable, "-V"], check=True),
    "socket.getaddrinfo": lambda: by_name.getaddrinfo("localhost", 80),
    "os.system": lambda: os.system("true"),  # noqa: S605, S607  # pyright: ignore[reportDeprecated]
    "os.execv": lambda: os.execv(sys.executable, [sys.executable, "-V"]),  # noqa: S606
}


@pytest.mark.parametrize("call", REFUSED)
def test_what_leaves_the_simulation_is_refused_with_its_line(call: str) -> None:
    with pytest.raises(EscapedEffect) as caught:
        in_a_handler(REFUSED[call])
    assert caught.value.call == call
    assert re.fullmatch(r"test_boundary\.py:\d+", caught.value.site)


def test_names_are_put_back_after_a_campaign() -> None:
    before = dict(vars(by_name))
    inside: list[bool] = []
    explore(lambda _sim: inside.append(by_name.time is not before["time"]), schedules=3)
    assert inside
    assert all(inside)
    assert vars(by_name) == before
    assert all(vars(by_name)[name] is value for name, value in before.items())
    assert datetime is type(BEGIN)


def test_a_name_that_is_bound_later_is_found_too(monkeypatch: pytest.MonkeyPatch) -> None:
    assert in_a_handler(lambda: by_name.time()) == EPOCH
    monkeypatch.setattr(by_name, "later", time.time, raising=False)
    assert in_a_handler(lambda: vars(by_name)["later"]()) == EPOCH


def test_a_module_that_is_imported_later_is_found_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert in_a_handler(lambda: by_name.time()) == EPOCH
    later = ModuleType("imported_later")
    vars(later).update(__file__=str(tmp_path / "imported_later.py"), time=time.time)
    monkeypatch.setitem(sys.modules, "imported_later", later)
    assert in_a_handler(lambda: vars(later)["time"]()) == EPOCH
    assert vars(later)["time"] is time.time


def test_other_threads_have_real_clocks_during_a_campaign() -> None:
    ask: queue.Queue[None] = queue.Queue()
    answers: queue.Queue[tuple[float, int, bytes]] = queue.Queue()

    def outside() -> None:
        ask.get()
        answers.put((time.time(), datetime.now(UTC).year, os.urandom(1)))

    thread = threading.Thread(target=outside)
    thread.start()

    def scenario(_sim: Simulation) -> tuple[float, int, bytes]:
        ask.put(None)
        return answers.get(timeout=30)

    value = simulate(scenario).value
    thread.join()
    assert value is not None
    assert value[0] > EPOCH + 3600
    assert value[1] > 2000


# ------------------------------------------------------------------ datetime


def test_datetimes_are_real_ones_in_a_simulation() -> None:
    def uses() -> list[Any]:
        moment: Any = datetime(2020, 2, 3, 4, 5, tzinfo=UTC)
        now: Any = datetime.now(UTC)
        found: list[Any] = [type(moment).__mro__[1].__name__, isinstance(moment, datetime)]
        found += [isinstance(now, datetime), issubclass(type(moment), datetime)]
        found += [datetime.fromisoformat("2020-02-03T04:05:00+00:00") == moment]
        found += [datetime.fromtimestamp(0, UTC), datetime.strptime("2020+0000", "%Y%z").year]
        found += [pickle.loads(pickle.dumps(moment)) == moment, {datetime: 1}[type(moment)]]
        match moment:
            case datetime(year=2020):
                found.append("matched")
            case _:
                found.append("missed")
        return [*found, moment]

    value = in_a_handler(uses)
    moment = value[-1]
    assert type(moment) is datetime
    assert value[:-1] == [
        *("date", True, True, True, True),
        *(datetime.fromtimestamp(0, UTC), 2020, True, 1, "matched"),
    ]


def test_a_subclass_of_datetime_made_in_a_simulation_reads_virtual_time() -> None:
    def uses() -> Any:
        class Stamp(datetime):
            pass

        zone = timezone(timedelta(hours=2))
        now: Any = Stamp.now(zone)
        return type(now).__name__, now == BEGIN, now.hour, isinstance(now, Stamp)

    assert in_a_handler(uses) == ("Stamp", True, 2, True)


# ------------------------------------------------------------------ logging


def test_logging_works_and_shows_virtual_time() -> None:
    written = io.StringIO()
    waiting: queue.Queue[logging.LogRecord] = queue.Queue(100)
    log = logging.Logger("shop")  # noqa: LOG001 - of this test alone
    stream = logging.StreamHandler(written)
    stream.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    log.addHandler(stream)
    log.addHandler(logging.handlers.QueueHandler(waiting))
    log.addHandler(logging.handlers.MemoryHandler(10, target=stream))
    taken: list[str] = []
    listener = logging.handlers.QueueListener(waiting, handler := logging.Handler())
    handler.emit = lambda record: taken.append(record.getMessage())  # type: ignore[method-assign]
    listener.start()
    try:

        def logs() -> None:
            log.warning("sold %s", "tea")
            time.sleep(60)
            log.warning("sold out")

        in_a_handler(logs)
    finally:
        listener.stop()
    later = LOCAL + timedelta(minutes=1)
    assert written.getvalue().splitlines() == [
        f"{LOCAL:%Y-%m-%d %H:%M:%S},000 WARNING sold tea",
        f"{later:%Y-%m-%d %H:%M:%S},000 WARNING sold out",
    ]
    assert taken == ["sold tea", "sold out"]
