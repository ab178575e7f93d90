"""The actor system: what users start, ask to run programs, and shut down."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Any, Self, overload

from typing_extensions import TypeVar, Unpack, override

from effactor.actors.props import props
from effactor.actors.supervision import a_strategy
from effactor.errors import ActorNotFound
from effactor.programs.exits import Interrupted
from effactor.programs.operations import check_stop_mode, seconds
from effactor.programs.structure import a_program
from effactor_interpreters.runtime import snapshots
from effactor_interpreters.runtime.dispatchers import Dispatchers
from effactor_interpreters.runtime.engine.contents import Contents
from effactor_interpreters.runtime.engine.synchronous import answer_of
from effactor_interpreters.runtime.events import Events
from effactor_interpreters.runtime.lifecycle import DEFAULT_STRATEGY
from effactor_interpreters.runtime.names import NAMELESS
from effactor_interpreters.runtime.operations import Operations
from effactor_interpreters.runtime.registry import Registry
from effactor_interpreters.runtime.runs import Run
from effactor_interpreters.runtime.shutdown import Shutdown
from effactor_interpreters.runtime.timers import Timers

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping
    from concurrent.futures import Executor
    from types import TracebackType

    from effactor.actors.actor import Actor
    from effactor.actors.envelope import SendOptions
    from effactor.actors.message import Message, Query
    from effactor.actors.props import SpawnOptions
    from effactor.actors.ref import ActorRef, StopManner
    from effactor.actors.shutdown import ShutdownMode
    from effactor.actors.supervision import SupervisorStrategy
    from effactor.programs.program import Program
    from effactor_interpreters.runtime.engine.fiber import Fiber
    from effactor_interpreters.runtime.virtual.registry import VirtualActorRegistry
    from effactor_interpreters.runtime.world import World

A = TypeVar("A")
M = TypeVar("M")
R = TypeVar("R")


def world_here(*, inline: bool = True) -> World:
    """Return the world of a system that was given none: live, in a scenario simulated.

    Args:
        inline: Whether idle actors may handle asks on the asker's stack.
    """
    try:
        simulated: World | None = getattr(asyncio.get_running_loop(), "effactor_world", None)
    except RuntimeError:
        simulated = None
    if simulated is not None:
        return simulated
    # The one place where the runtime names a world: users write ActorSystem("bank")
    # and mean the live one.
    from effactor_interpreters.live.world import LiveWorld

    return LiveWorld(inline=inline)


class ActorSystem(Registry):
    """A system of actors on one event loop.

    Use it as `async with ActorSystem("bank") as system`; leaving the block stops
    all actors. Without the block it starts with its first actor or run, and ends with
    `await system.shutdown()`; a system that is still there when its loop closes is
    shut down then, with a warning. Everything happens on the loop's thread.
    `dead_letters` holds the latest messages that nobody handled.

    Args:
        name: First segment of full paths, such as `/bank/counter`. None means
            `system`; while several nameless systems live at once, the others are
            `system-2` and so on, and `/system` begins the paths of each.
        strategy: How actors without a parent are supervised, and children whose
            parent has no strategy of its own.
        ask_timeout: Seconds that an ask waits which says nothing itself, `timeout=None`;
            None or `math.inf` for ever. `timeout=math.inf` waits for ever all the same.
        dispatchers: Pools of threads for `spawn(dispatcher=...)`, by name: how many threads, or
            an executor, which stays yours to shut down. `"thread"` is there without asking.
        world: Where the system runs; None means live, on the running event loop.
    """

    def __init__(
        self,
        name: str | None = None,
        *,
        strategy: SupervisorStrategy = DEFAULT_STRATEGY,
        ask_timeout: float | None = None,
        dispatchers: Mapping[str, int | Executor] | None = None,
        world: World | None = None,
    ) -> None:
        """Make a system; it starts with its first actor or run."""
        is_text = name is None or isinstance(name, str)  # pyright: ignore[reportUnnecessaryIsInstance]
        if not is_text or name == "" or "/" in (name or ""):
            msg = f"ActorSystem: name must be a text without slashes, got {name!r}"
            raise ValueError(msg)
        a_strategy("ActorSystem: strategy", strategy)
        if world is None:
            world = world_here()
        super().__init__(NAMELESS if name is None else name, world, strategy)
        self.is_nameless: bool = name is None
        # As in an ask, infinity is for ever.
        forever = ask_timeout == math.inf
        limit = None if forever else ask_timeout
        self.ask_timeout: float | None = seconds("ActorSystem", "ask_timeout", limit)
        self.dispatchers: Dispatchers = Dispatchers({} if dispatchers is None else dispatchers)
        self.events: Events = Events(self)
        self.runs: dict[Run, None] = {}
        self.coordination: Contents = Contents()
        self.timers: Timers = Timers()
        self.table: dict[type[Any], Callable[[Any, Fiber], Any]] = Operations(self).table()
        self.virtual_actors: VirtualActorRegistry | None = None
        self._shutdown: Shutdown = Shutdown(self)

    @override
    def __repr__(self) -> str:
        state = "closing" if self.closing else "open"
        return f"<ActorSystem {self.name!r}, {len(self.cells)} actors, {state}>"

    @property
    @override
    def closing_words(self) -> str:
        """What errors say of the system, once its shutdown has begun."""
        return self._shutdown.words

    # ------------------------------------------------------------ actors

    async def spawn(
        self,
        actor: Callable[[], Actor[M]],
        name: str | None = None,
        **options: Unpack[SpawnOptions],
    ) -> ActorRef[M]:
        """Start an actor and wait for its `on_started`.

        Args:
            actor: The actor's class, or a function without arguments that makes one.
            name: Its name, unique in the system; None makes one from the class's.
            options: How it is run: see `SpawnOptions`.

        Returns:
            The actor's ref. What the constructor or `on_started` raises is raised. Cancelled, it
            stops the actor first, so that its name is free.

        Raises:
            NameTaken: If an actor of this name lives.
            TypeError: If *actor* makes no actor.
            ActorStopped: If the system shuts down.
        """
        if name is None and not options and type(actor) is type:
            ref: ActorRef[M] | None = self.simple_root(actor)
            if ref is not None:
                return ref
        cell = self.checked(None, actor, name, props("spawn", options))
        if cell.starting:
            await self.start_cell(cell)
        return cell.ref

    async def get_actor(self, path: str) -> ActorRef[Any]:
        """Find a living actor by its path.

        Args:
            path: Path within the system, such as `/counter`, or with the system's
                name in front, `/bank/counter`.

        Returns:
            Its ref.

        Raises:
            ActorNotFound: If there is none; it names the nearest paths.
            ActorStopped: If that is because the system shuts down.
        """
        try:
            return self.at(path)
        except ActorNotFound:
            if not self.closing:
                raise
        raise self.nobody_left(path)

    def actors(self) -> dict[str, ActorRef[Any]]:
        """List the living actors, children included.

        Returns:
            Their refs by path within the system, in the order of their start.
        """
        return {path: cell.ref for path, cell in list(self.cells.items())}

    @staticmethod
    def start_alone(
        actor: Actor[M], name: str | None = None, **options: Unpack[SpawnOptions]
    ) -> Coroutine[Any, Any, ActorRef[M]]:
        """Start an actor in a private system: what `actor.start(name)` does."""
        from effactor_interpreters.runtime.private import start

        return start(actor, name, props("start", options))

    # ------------------------------------------------------------ messages

    @overload
    async def ask(
        self,
        target: ActorRef[M],
        message: Query[M, R, Any],
        *,
        timeout: float | None = None,
        options: SendOptions | None = None,
    ) -> R: ...
    @overload
    async def ask(
        self,
        target: ActorRef[M],
        message: M,
        *,
        timeout: float | None = None,
        options: SendOptions | None = None,
    ) -> Any: ...
    @overload
    async def ask(
        self,
        target: str,
        message: Message[R, Any],
        *,
        timeout: float | None = None,
        options: SendOptions | None = None,
    ) -> R: ...
    @overload
    async def ask(
        self,
        target: str,
        message: Any,
        *,
        timeout: float | None = None,
        options: SendOptions | None = None,
    ) -> Any: ...
    async def ask(
        self,
        target: ActorRef[Any] | str,
        message: Any,
        *,
        timeout: float | None = None,
        options: SendOptions | None = None,
    ) -> Any:
        """Ask the actor at a path, or that a ref names: `await system.ask("/till", Total())`.

        Args:
            target: A path, as for `get_actor`, or a ref, which may be
                `ActorRef.at(path)` or come out of a pickle.
            message: The message; a `Message[R, E]` types the reply.
            timeout: Seconds to wait for the reply, as in `ref.ask`.
            options: What travels with the message, or None.

        Returns:
            The reply. It raises what `ref.ask` raises; a ref to an actor that does
            not live is `ActorStopped`.

        Raises:
            ActorNotFound: If nobody lives at the path; it names the nearest paths.
            ActorStopped: If that is because the system shuts down.
        """
        self.bind()
        return await self.target("ask", target).ask(message, timeout=timeout, options=options)

    @overload
    async def tell(
        self, target: ActorRef[M], message: M, *, options: SendOptions | None = None
    ) -> None: ...
    @overload
    async def tell(
        self, target: str, message: Any, *, options: SendOptions | None = None
    ) -> None: ...
    async def tell(
        self,
        target: ActorRef[Any] | str,
        message: Any,
        *,
        options: SendOptions | None = None,
    ) -> None:
        """Send a message to the actor at a path, or that a ref names.

        Args:
            target: A path, as for `get_actor`, or a ref.
            message: The message. To a ref whose actor does not live it is a dead
                letter, as for `ref.tell`.
            options: What travels with the message, or None.

        Raises:
            ActorNotFound: If nobody lives at the path; it names the nearest paths.
            ActorStopped: If that is because the system shuts down.
        """
        self.bind()
        await self.target("tell", target).tell(message, options=options)

    async def stop(self, target: ActorRef[Any] | str, mode: StopManner = "graceful") -> None:
        """Ask the actor at a path, or that a ref names, to stop; see `ref.stop`.

        Args:
            target: A path, as for `get_actor`, or a ref.
            mode: As for `ref.stop`.

        Raises:
            ActorNotFound: If nobody lives at the path; it names the nearest paths.
            ActorStopped: If that is because the system shuts down.
        """
        self.bind()
        check_stop_mode("stop", mode)
        await self.target("stop", target).stop(mode)

    # ------------------------------------------------------------ states

    def save_state(self) -> Coroutine[Any, Any, dict[str, Any]]:
        """Save the states of all actors: what their `save_state` answers.

        Each state is one that its actor had between two messages, after those that the
        caller had sent it. Actors go on meanwhile, so the states of two actors may be of
        two moments; stop the traffic first where they must fit together. Mailboxes,
        stashes and timers are not saved.

        Returns:
            A coroutine of the states by path within the system, in the order of the
            actors' start: parents before their children. Actors whose `save_state`
            answers None, and those that stop meanwhile, are left out. It raises
            `HandlerFailed`, which names the actor, if a `save_state` raises.

        Raises:
            RuntimeError: In a handler, which would wait for itself.
        """
        return snapshots.save(self)

    def load_state(
        self, states: Mapping[str, Any], unknown: snapshots.Unknown = "fail"
    ) -> Coroutine[Any, Any, None]:
        """Give actors that live the states that `save_state` has saved.

        One actor after another, each between two messages, in the order of their start:
        parents before their children. Nothing is loaded if the arguments are wrong.

        Args:
            states: States by path within the system, or with its name in front.
            unknown: What to do about paths at which no actor lives: `"fail"` raises
                `UnknownActors`, `"skip"` leaves them out.

        Returns:
            A coroutine that ends when all are loaded. If the `load_state` of an actor
            raises, it raises `HandlerFailed`, which names the actor: those before have
            their states, those after have not.

        Raises:
            RuntimeError: In a handler, which would wait for itself.
            UnknownActors: If *unknown* is `"fail"` and there are such paths.
            TypeError: If *states* is no mapping of paths, or an actor has no `load_state`.
            ValueError: If *unknown* is something else, or an actor is meant twice.
        """
        return snapshots.load(self, states, unknown)

    # ------------------------------------------------------------ programs

    async def run_free(self, program: Program[A, Any]) -> A:
        """Run a program: in a handler as that actor, elsewhere as an anonymous one.

        Args:
            program: The program.

        Returns:
            Its answer.

        Raises:
            Failed: If it failed with a value that is no exception. A failure that
                is one is raised itself; for `HandlerFailed`, what the handler
                raised. Defects are raised as they are.
        """
        loop = self.loop
        if loop is None or asyncio._get_running_loop() is not loop:  # noqa: SLF001 - None is no error
            self.bind()
        program = a_program("run_free", "program", program)
        cell = self.current_cell()
        if cell is not None:
            answer: A = await cell.run_program(program)
            return answer
        if self.closing:
            self._shutdown.check_run()
        run = Run(self, program)
        outcome = run.begin()
        if outcome is None:
            outcome = await run.end()
        if type(outcome) is Interrupted:
            raise asyncio.CancelledError
        result: A = answer_of(outcome)
        return result

    # ------------------------------------------------------------ the end

    async def shutdown(self, mode: ShutdownMode = "drain", *, timeout: float | None = 10.0) -> None:
        """Shut the system down, and wait until it is.

        From its beginning on nothing comes in from outside any more: asks and spawns end at
        once with `ActorStopped`, tells are dead letters. What has begun is interrupted or
        finished, as *mode* says:

        - `"drain"` interrupts the runs, and lets their finalisers use the actors; then the
          actors handle all that was sent to them, and what they send each other because
          of it, until no message is under way; then they stop.
        - `"after_current"` lets each actor end the message that it handles, and refuses
          those in the mailboxes.
        - `"now"` interrupts the handlers too.
        - `When(condition)` begins nothing until the condition holds.

        Further calls wait for the same end; a more urgent mode, or an earlier deadline,
        counts from then on. Cancelling a call does not stop what has begun.

        Args:
            mode: How.
            timeout: Seconds until the handlers that still run are cancelled, in every mode.
                One that a second later still runs is closed and left behind, and
                logged; the ask that it handles gets an `ActorStopped`. None: no limit.

        Raises:
            RuntimeError: In a handler, or in a task that a handler awaits: it would wait
                for itself.
            TypeError: If *timeout* is no number.
            ValueError: If there is no such *mode*, or *timeout* is negative or not finite.
        """
        await self._shutdown.run(mode, timeout)

    def forget_run(self, run: Run) -> None:
        """Take a run out that has ended."""
        del self.runs[run]
        if self.closing and not self.runs:
            self.went_on()

    def went_on(self) -> None:
        """Go on with the shutdown, if it has begun: the last run has ended, or the last actor."""
        self._shutdown.advance()

    async def __aenter__(self) -> Self:
        """Attach the system to the running loop."""
        self.bind()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop all actors."""
        await self.shutdown(timeout=10.0 if kind is None else 0.0)
