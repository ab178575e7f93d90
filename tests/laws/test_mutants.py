"""The laws notice errors: each of these deliberate ones in the engine breaks a law.

A mutant is one change to a copy of the packages, against which the laws run in a process
of their own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from importlib.util import cache_from_source
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, cast

import pytest
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
ENGINE = "effactor_interpreters/runtime/engine/"
BROKEN = 42  # exit status of reduced.py if a law does not hold


@dataclass(frozen=True)
class Mutant:
    """One change: in *file*, *old* becomes *new*, and then *breaks*."""

    breaks: str
    file: str
    old: str
    new: str

    @override
    def __str__(self) -> str:
        return self.breaks


MUTANTS = [
    # ------------------------------------------------------------ frames
    Mutant(
        "a finaliser is skipped on an interrupt",
        ENGINE + "frames.py",
        "elif tag == ENSURE or (tag == ON_INTERRUPT and kind == INTERRUPT):",
        "elif (tag == ENSURE) != (kind == INTERRUPT) and tag in {ENSURE, ON_INTERRUPT}:",
    ),
    Mutant(
        "a finaliser is skipped after success",
        ENGINE + "frames.py",
        "return EVALUATE, payload, _finalising(fiber, SUCCESS, v, frames)",
        "return EVALUATE, Pure(None), _finalising(fiber, SUCCESS, v, frames)",
    ),
    Mutant(
        "a finaliser runs twice after a bad end",
        ENGINE + "frames.py",
        "fiber.frames = _finalising(fiber, kind, error, frames)\n                return payload",
        "fiber.frames = (ENSURE, payload, _finalising(fiber, kind, error, frames))\n"
        "                return payload",
    ),
    Mutant(
        "an interrupt that waited for a finaliser is forgotten",
        ENGINE + "frames.py",
        "if fiber.interrupted and not fiber.masked:\n            if before == DEFECT:",
        "if False:\n            if before == DEFECT:",
    ),
    Mutant(
        "lash recovers from defects",
        ENGINE + "frames.py",
        "elif kind == FAILURE:\n                recovery",
        "elif kind in {FAILURE, DEFECT} and tag != EXIT:\n                recovery",
    ),
    Mutant(
        "attempt answers defects",
        ENGINE + "frames.py",
        "            elif kind == DEFECT:\n",
        "            elif kind == DEFECT:\n"
        "                if tag == ATTEMPT:\n"
        "                    fiber.frames = frames\n"
        "                    return Pure(Failure(error))\n",
    ),
    Mutant(
        "catch does not look at the class",
        ENGINE + "frames.py",
        "if tag == CATCH and isinstance(error, payload[0]):",
        "if tag == CATCH:",
    ),
    Mutant(
        "lash gets answers too",
        ENGINE + "frames.py",
        "(LASH, p.function, frames)",
        "(LASH, p.function, (0, p.function, frames))",
    ),
    Mutant(
        "a handler stays in force after its program has answered",
        ENGINE + "frames.py",
        "if kind == EFFECTS:\n        fiber.effects = payload",
        "if kind == EFFECTS:\n        pass",
    ),
    Mutant(
        "a handler stays in force after its program has failed",
        ENGINE + "frames.py",
        "elif tag == EFFECTS:\n                fiber.effects = payload",
        "elif tag == EFFECTS:\n                pass",
    ),
    Mutant(
        "the end of an inner uninterruptible program ends the outer one",
        ENGINE + "frames.py",
        "elif kind == MASK:\n        fiber.masked -= 1",
        "elif kind == MASK:\n        fiber.masked = 0",
    ),
    Mutant(
        "an acquisition can be interrupted",
        ENGINE + "frames.py",
        "return p.acquire, (ACQUIRE, p, frames)",
        "fiber.masked -= 1\n    return p.acquire, (ACQUIRE, p, frames)",
    ),
    Mutant(
        "a scope is not closed after a bad end",
        ENGINE + "frames.py",
        "kind, error, frames = close(fiber, payload, kind, error, frames)",
        "pass",
    ),
    # ------------------------------------------------------------ fibers
    Mutant(
        "map calls its function twice",
        ENGINE + "fiber.py",
        "if kind == MAP:\n                            v = payload(v)",
        "if kind == MAP:\n                            v = payload(payload(v))",
    ),
    Mutant(
        "a second run of a block resumes the first one's generator",
        ENGINE + "fiber.py",
        "p.function.function(*p.args, **p.kwargs)",
        "p.function.function.__dict__.setdefault(p, p.function.function(*p.args, **p.kwargs))",
    ),
    Mutant(
        "a failure that passes through finally becomes a defect",
        ENGINE + "frames.py",
        "fiber.mark(raised)",
        "pass",
    ),
    Mutant(
        "what a loser was given is lost",
        ENGINE + "fiber.py",
        "if kind == GIVEN:\n                value[2]()\n",
        "if kind == GIVEN:\n                pass\n",
    ),
    Mutant(
        "an interrupt that came before a turn is forgotten",
        ENGINE + "fiber.py",
        "if self.interrupted and not self.masked:\n            if kind == GIVEN:",
        "if kind == INTERRUPT:\n            if kind == GIVEN:",
    ),
    Mutant(
        "what a handler performs is not left to those further out",
        ENGINE + "fiber.py",
        "inside, self.effects = self.effects, outer",
        "inside, self.effects = outer, outer",
    ),
    # ------------------------------------------------------------ groups
    Mutant(
        "losers are not interrupted",
        ENGINE + "parallel.py",
        "interrupt(self.branches())",
        "pass",
    ),
    Mutant(
        "losers are not awaited",
        ENGINE + "parallel.py",
        "if not self.running and self.decided is not None:",
        "if self.decided is not None:",
    ),
    Mutant(
        "results are in order of completion",
        ENGINE + "parallel.py",
        "self._answers[number] = outcome.value",
        "self._answers = [*self._answers[1:], outcome.value]",
    ),
    Mutant(
        "the limit of concurrency is ignored",
        ENGINE + "parallel.py",
        "while len(self.running) < self._limit:",
        "while True:",
    ),
    Mutant(
        "the defect of a loser is lost",
        ENGINE + "parallel.py",
        "self._defects.append(outcome.defect)",
        "pass",
    ),
    # ------------------------------------------------------------ time and forks
    Mutant(
        "a timeout does not interrupt",
        ENGINE + "timeouts.py",
        "self.branch.interrupt()",
        "self._ended(FailedWith(None))",
    ),
    Mutant(
        "a scope does not interrupt its forks",
        ENGINE + "forks.py",
        "for member in members:\n            member.interrupt()",
        "",
    ),
    Mutant(
        "a scope does not await its forks",
        ENGINE + "forks.py",
        "if member.when_ended(self):",
        "if False:",
    ),
    Mutant(
        "a scope releases in order of acquisition",
        ENGINE + "scopes.py",
        "for finalizer in reversed(self.finalizers):",
        "for finalizer in self.finalizers:",
    ),
    # ------------------------------------------------------------ programs
    Mutant(
        "retry is off by one",
        "effactor/schedules/basic.py",
        "return Decision(0.0, state - 1) if state else None",
        "return Decision(0.0, state - 1) if state > 1 else None",
    ),
    Mutant(
        "a delay is not waited for",
        "effactor/programs/timing.py",
        "if delay > 0 else program",
        "if delay > 1 else program",
    ),
    Mutant(
        "tap changes the answer",
        "effactor/programs/program.py",
        "return FlatMap(self.function(answer), Always(Pure(answer)))",
        "return self.function(answer)",
    ),
    Mutant(
        "pickle turns arguments round",
        "effactor/programs/structure.py",
        "tuple(nodes[v.index] if type(v) is Child else v for v in value)",
        "tuple(nodes[v.index] if type(v) is Child else v for v in value[::-1])",
    ),
]


def run(folder: Path, mutant: Mutant | None) -> tuple[int, str]:
    """Copy the packages to *folder*, change the copy, and check the laws there."""
    for package in (ROOT / "effactor", ROOT / "interpreters" / "effactor_interpreters"):
        shutil.copytree(package, folder / package.name)
    if mutant is not None:
        changed = folder / mutant.file
        text = changed.read_text()
        times = text.count(mutant.old)
        if times != 1:
            pytest.fail(
                f"update the list of mutants: {mutant.file} has {times} times, and not once,\n"
                f"{mutant.old}"
            )
        changed.write_text(text.replace(mutant.old, mutant.new))
        Path(cache_from_source(changed)).unlink(missing_ok=True)
    # A copy is nothing to measure the coverage of.
    inherited = {name: value for name, value in os.environ.items() if "COVERAGE" not in name}
    done = subprocess.run(
        [sys.executable, str(HERE / "reduced.py"), str(folder)],
        env={
            **inherited,
            "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT / "tests")]),
        },
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


Runs: TypeAlias = "dict[Mutant | None, Future[tuple[int, str]]]"


@pytest.fixture(scope="module")
def runs(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Runs]:
    """Run the mutants of all selected tests, two at a time, while each waits for its own."""
    selected: list[Mutant | None] = [
        cast("Mutant", item.callspec.params["mutant"]) if hasattr(item, "callspec") else None
        for item in request.session.items
        if isinstance(item, pytest.Function) and "runs" in item.fixturenames
    ]
    with ThreadPoolExecutor(2) as pool:
        yield {
            mutant: pool.submit(run, tmp_path_factory.mktemp("mutant"), mutant)
            for mutant in selected
        }
        pool.shutdown(cancel_futures=True)


def test_the_laws_hold_without_a_mutation(runs: Runs) -> None:
    assert runs[None].result() == (0, "")


@pytest.mark.parametrize("mutant", MUTANTS, ids=str)
def test_a_law_breaks_if(mutant: Mutant, runs: Runs) -> None:
    status, printed = runs[mutant].result()
    assert status == BROKEN, f"no law has noticed that {mutant}: {printed}"
    print(f"{mutant}: {printed}")  # noqa: T201 - shown by pytest -s: who has noticed it
