"""The operations: what a program can ask of the world it runs in.

Each is a node and a function that makes it. An interpreter gives it meaning in
one place; nothing here performs anything.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal, final, get_args, overload

from typing_extensions import ParamSpec, TypeVar, Unpack, override

from effactor.actors.props import DEFAULT, props
from effactor.programs import structure
from effactor.programs.program import A_co, E_co, Program

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime
    from uuid import UUID

    from effactor.actors.actor import Actor
    from effactor.actors.envelope import SendOptions
    from effactor.actors.message import Query
    from effactor.actors.props import Props, SpawnOptions
    from effactor.actors.ref import ActorRef, StopManner
    from effactor.errors import ActorNotFound, AskFailed

A = TypeVar("A")
E = TypeVar("E")
M = TypeVar("M")
R = TypeVar("R")
P = ParamSpec("P")

LogLevel = Literal["debug", "info", "warning", "error", "critical"]


structure.unsaid(DEFAULT)


class Operation(Program[A_co, E_co]):
    """Base of all operations. They are programs by themselves."""

    __slots__ = ()

    def describe(self) -> str:
        """Say what the operation does, in a few words for traces and errors.

        Returns:
            Text such as `ask /inventory Look('tea')`.
        """
        return structure.render(self)


@final
class Ask(Operation[A_co, E_co]):
    """Send a message to an actor and answer its reply."""

    # Not "timeout", which is a method of every program.
    __slots__ = ("message", "options", "ref", "time_limit")

    def __init__(
        self,
        ref: ActorRef[Any],
        message: Any,
        time_limit: float | None,
        options: SendOptions | None = None,
    ) -> None:
        """Keep all; *time_limit* is in seconds."""
        self.ref: ActorRef[Any] = ref
        self.message: Any = message
        self.time_limit: float | None = time_limit
        self.options: SendOptions | None = options

    @override
    def describe(self) -> str:
        return f"ask {self.ref.path} {self.message!r}"


@final
class Tell(Operation[None]):
    """Send a message to an actor."""

    __slots__ = ("message", "options", "ref")

    def __init__(
        self, ref: ActorRef[Any], message: Any, options: SendOptions | None = None
    ) -> None:
        """Keep all."""
        self.ref: ActorRef[Any] = ref
        self.message: Any = message
        self.options: SendOptions | None = options

    @override
    def describe(self) -> str:
        return f"tell {self.ref.path} {self.message!r}"


@final
class Stop(Operation[None]):
    """Ask an actor to stop."""

    __slots__ = ("mode", "ref")

    def __init__(self, ref: ActorRef[Any], mode: StopManner) -> None:
        """Keep both."""
        self.ref: ActorRef[Any] = ref
        self.mode: StopManner = mode

    @override
    def describe(self) -> str:
        return f"stop {self.ref.path}" + ("" if self.mode == "graceful" else f" ({self.mode})")


@final
class Join(Operation[None]):
    """Wait until an actor has stopped."""

    __slots__ = ("ref",)

    def __init__(self, ref: ActorRef[Any]) -> None:
        """Keep the ref."""
        self.ref: ActorRef[Any] = ref

    @override
    def describe(self) -> str:
        return f"join {self.ref.path}"


@final
class Watch(Operation[None]):
    """Let an actor hear of another's end."""

    __slots__ = ("ref",)

    def __init__(self, ref: ActorRef[Any]) -> None:
        """Keep the ref."""
        self.ref: ActorRef[Any] = ref

    @override
    def describe(self) -> str:
        return f"watch {self.ref.path}"


@final
class Unwatch(Operation[None]):
    """Let an actor hear no more of another's end."""

    __slots__ = ("ref",)

    def __init__(self, ref: ActorRef[Any]) -> None:
        """Keep the ref."""
        self.ref: ActorRef[Any] = ref

    @override
    def describe(self) -> str:
        return f"unwatch {self.ref.path}"


@final
class Spawn(Operation[A_co]):
    """Start an actor and answer its ref."""

    __slots__ = ("actor", "name", "props")

    def __init__(
        self, actor: Callable[[], Actor[Any]], name: str | None, props: Props = DEFAULT
    ) -> None:
        """Keep all."""
        self.actor: Callable[[], Actor[Any]] = actor
        self.name: str | None = name
        self.props: Props = props

    @override
    def describe(self) -> str:
        as_name = "" if self.name is None else f" as {self.name!r}"
        return f"spawn {structure.function_name(self.actor)}{as_name}"


@final
class Lookup(Operation[A_co, E_co]):
    """Find an actor by its path."""

    __slots__ = ("path",)

    def __init__(self, path: str) -> None:
        """Keep the path."""
        self.path: str = path

    @override
    def describe(self) -> str:
        return f"look up {self.path}"


@final
class Self(Operation[A_co]):
    """Answer the ref of whoever runs the program."""

    __slots__ = ()

    @override
    def describe(self) -> str:
        return "self"


@final
class Sleep(Operation[None]):
    """Let time pass."""

    __slots__ = ("seconds",)

    def __init__(self, seconds: float) -> None:
        """Keep the duration, in seconds."""
        self.seconds: float = seconds

    @override
    def describe(self) -> str:
        return f"sleep {self.seconds:g} s"


@final
class Now(Operation[A_co]):
    """Answer the time of day."""

    __slots__ = ()

    @override
    def describe(self) -> str:
        return "now"


@final
class Random(Operation[A_co]):
    """Answer a random number."""

    __slots__ = ()

    @override
    def describe(self) -> str:
        return "random"


@final
class Uuid(Operation[A_co]):
    """Answer a random UUID."""

    __slots__ = ()

    @override
    def describe(self) -> str:
        return "uuid"


@final
class Log(Operation[None]):
    """Write to the log."""

    __slots__ = ("fields", "level", "text")

    def __init__(self, level: LogLevel, text: str, fields: dict[str, object]) -> None:
        """Keep all three."""
        self.level = level
        self.text: str = text
        self.fields: dict[str, object] = fields

    @override
    def describe(self) -> str:
        fields = "".join(f" {key}={value!r}" for key, value in self.fields.items())
        return f"log {self.level} {self.text!r}{fields}"


@final
class Call(Operation[A_co]):
    """Call a function of the outside world."""

    __slots__ = ("args", "function", "kwargs")

    def __init__(
        self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        """Keep all three."""
        self.function: Callable[..., Any] = function
        self.args: tuple[Any, ...] = args
        self.kwargs: dict[str, Any] = kwargs

    @override
    def describe(self) -> str:
        inside = [repr(a) for a in self.args]
        inside += [f"{key}={value!r}" for key, value in self.kwargs.items()]
        return f"call {structure.function_name(self.function)}({', '.join(inside)})"


def seconds(where: str, argument: str, value: float | None) -> float | None:
    """Return *value* if it is None or a duration.

    Args:
        where: The function that received it, for the error.
        argument: The argument's name.
        value: A duration in seconds.

    Returns:
        The value.

    Raises:
        TypeError: If it is no number.
        ValueError: If it is negative or no number of seconds (NaN, infinite).
    """
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):  # pyright: ignore[reportUnnecessaryIsInstance]
        hint = "; give its total_seconds()" if hasattr(value, "total_seconds") else ""
        msg = f"{where}: {argument} must be a number of seconds, got {value!r}{hint}"
        raise TypeError(msg)
    if not 0 <= value < math.inf:
        msg = f"{where}: {argument} must be a finite number of seconds >= 0, got {value!r}"
        raise ValueError(msg)
    return value


def a_duration(where: str, argument: str, value: Any) -> float:
    """Return *value* if it is a duration, and not None.

    Args:
        where: The function that received it, for the error.
        argument: The argument's name.
        value: A duration in seconds.

    Returns:
        The value.

    Raises:
        TypeError: If it is no number.
        ValueError: If it is negative or no number of seconds (NaN, infinite).
    """
    if value is None:
        msg = f"{where}: {argument} must be a number of seconds, got None"
        raise TypeError(msg)
    checked = seconds(where, argument, value)
    assert checked is not None
    return checked


def a_ref(where: str, ref: Any, argument: str = "ref") -> None:
    """Refuse what is no ref of an actor.

    Args:
        where: The function that received it, for the error.
        ref: What was given.
        argument: The argument's name.

    Raises:
        TypeError: If it is something else; it says what to give instead.
    """
    # Duck-typed: importing ActorRef here would be a circle, and every operation
    # passes this way.
    if not hasattr(ref, "incarnation"):
        hint = ""
        if isinstance(ref, str):
            hint = f"; write ActorRef.at({'/' + ref.removeprefix('/')!r})"
        elif hasattr(ref, "on_receive"):  # an actor, or its class
            hint = "; spawn the actor and use the ref that spawn answers"
        elif structure.is_program(ref):
            hint = "; it is a Program: take its answer with yield from first"
        msg = f"{where}: {argument} must be an ActorRef, got {ref!r}{hint}"
        raise TypeError(msg)


# A message may declare a reply or not: the overloads overlap, and the first wins.
@overload
def free_ask(  # type: ignore[overload-overlap]
    ref: ActorRef[M],
    message: Query[M, R, E],
    *,
    timeout: float | None = None,
    options: SendOptions | None = None,
) -> Program[R, AskFailed | E]: ...
@overload
def free_ask(
    ref: ActorRef[M],
    message: M,
    *,
    timeout: float | None = None,
    options: SendOptions | None = None,
) -> Program[Any, AskFailed]: ...
def free_ask(
    ref: ActorRef[Any],
    message: Any,
    *,
    timeout: float | None = None,
    options: SendOptions | None = None,
) -> Program[Any, Any]:
    """Send a message to an actor and answer its reply.

    Args:
        ref: The actor.
        message: The message. A `Message[R, E]` types the reply and the failures;
            for any other object the reply is `Any`.
        timeout: Seconds to wait for the reply; None takes the system's default, which is
            for ever unless it says otherwise; `math.inf` waits for ever.
        options: What travels with the message, or None.

    Returns:
        A program that answers the reply. It fails with what the message declares,
        or with an `AskFailed`: `AskTimeout`, `ActorStopped`, `Unhandled`, or
        `HandlerFailed` if the handler raised something undeclared.

    Raises:
        TypeError: If *ref* is no ref, *timeout* no number, or *options* no `SendOptions`.
        ValueError: If *timeout* is negative or NaN.
    """
    a_ref("free_ask", ref)
    if timeout is not None and timeout != math.inf:
        seconds("free_ask", "timeout", timeout)
    if options is not None:
        check_options("free_ask", options)
    return Ask(ref, message, timeout, options)


def check_options(where: str, options: object) -> None:
    """Refuse what are no options of a message.

    Args:
        where: The function that received it, for the error.
        options: What was given, not None.

    Raises:
        TypeError: If they are something else.
    """
    # Duck-typed, as `a_ref` is.
    if not hasattr(options, "correlation_id") or isinstance(options, type):
        msg = f"{where}: options must be SendOptions(...), got {options!r}"
        raise TypeError(msg)


def free_tell(ref: ActorRef[M], message: M, *, options: SendOptions | None = None) -> Program[None]:
    """Send a message to an actor and go on.

    Args:
        ref: The actor. If it has stopped the message is a dead letter.
        message: The message.
        options: What travels with the message, or None.

    Returns:
        A program that answers None once the mailbox has taken the message. One that
        blocks when it is full makes the program wait; one that rejects raises
        `MailboxFull`, a defect; `.refine(MailboxFull)` makes it a failure.

    Raises:
        TypeError: If *ref* is no ref, or *options* no `SendOptions`.
    """
    a_ref("free_tell", ref)
    if options is not None:
        check_options("free_tell", options)
    return Tell(ref, message, options)


def free_stop(ref: ActorRef[Any], mode: StopManner = "graceful") -> Program[None]:
    """Ask an actor to stop. Wait for its end with `free_join`.

    Args:
        ref: The actor. Stopping a stopped one does nothing.
        mode: `"graceful"` handles what was sent before, `"current"` only the
            message being handled, `"now"` interrupts even that.

    Returns:
        A program that answers None once the stop is requested.

    Raises:
        TypeError: If *ref* is no ref.
        ValueError: If *mode* is none of the three.
    """
    a_ref("free_stop", ref)
    check_stop_mode("free_stop", mode)
    return Stop(ref, mode)


def check_stop_mode(where: str, mode: object) -> None:
    """Refuse a stop mode that does not exist.

    Args:
        where: The function that received it, for the error.
        mode: What was given.

    Raises:
        ValueError: If it is none of `"graceful"`, `"current"`, `"now"`.
    """
    if mode != "graceful" and mode not in ("current", "now"):  # no set: it may be unhashable
        msg = f'{where}: mode must be "graceful", "current" or "now", got {mode!r}'
        raise ValueError(msg)


def free_join(ref: ActorRef[Any]) -> Program[None]:
    """Wait until an actor has stopped.

    Args:
        ref: The actor. One that has stopped already needs no waiting.

    Returns:
        A program that answers None after the actor's `on_stopped`.

    Raises:
        TypeError: If *ref* is no ref.
    """
    a_ref("free_join", ref)
    return Join(ref)


def free_watch(ref: ActorRef[Any]) -> Program[None]:
    """Let the actor that runs the program hear of another's end, by a `Terminated`.

    It comes once, as a message, when the actor has stopped in whatever way: asked to, after
    a failure, in a crash, with its parent. A restart is no end. Of an actor that has
    stopped already, or that never was, it comes at once; watching twice is watching
    once. The watch survives a restart of the watcher, and ends with it.

    Args:
        ref: The other actor.

    Returns:
        A program that answers None at once. It is a defect in a run, which receives no
        messages: use `free_join` there (RuntimeError); for the actor itself
        (ValueError); and for an actor without a handler for `Terminated` (TypeError).

    Raises:
        TypeError: If *ref* is no ref.
    """
    a_ref("free_watch", ref)
    return Watch(ref)


def free_unwatch(ref: ActorRef[Any]) -> Program[None]:
    """Let the actor that runs the program hear no more of another's end.

    Args:
        ref: The other actor; if it is not watched nothing changes.

    Returns:
        A program that answers None. From then on no `Terminated` of it is handled, also if
        one was on its way already; only one that was set aside with `stash` still is.

    Raises:
        TypeError: If *ref* is no ref.
    """
    a_ref("free_unwatch", ref)
    return Unwatch(ref)


def free_spawn(
    actor: Callable[[], Actor[M]],
    name: str | None = None,
    **options: Unpack[SpawnOptions],
) -> Program[ActorRef[M]]:
    """Start an actor: as a child of the actor that runs the program, else of the system.

    Args:
        actor: The actor's class, or a function without arguments that makes one.
        name: Name among its siblings; None makes one from the class's name.
        options: How it is run: see `SpawnOptions`.

    Returns:
        A program that answers the actor's ref after its `on_started`. A name in
        use and an exception while starting are defects.

    Raises:
        TypeError: If *actor* cannot be called, or is an instance, or an option is of
            another kind.
        ValueError: If *name* is empty or contains a slash or `#`, or an option makes no sense.
    """
    check_spawn("free_spawn", actor, name)
    return Spawn(actor, name, props("free_spawn", options))


def check_spawn(where: str, actor: object, name: object, argument: str = "actor") -> None:
    """Refuse what cannot be spawned.

    Args:
        where: The function that received it, for the error.
        actor: What should be a class of actors or a factory.
        name: What should be None or a name.
        argument: The name of the argument that *actor* is.

    Raises:
        TypeError: If *actor* cannot be called, or *name* is no text.
        ValueError: If *name* is empty or contains a slash or `#`.
    """
    # Of a class it is certain already; the other look-up costs as much as the spawn.
    if not isinstance(actor, type) and hasattr(type(actor), "on_receive"):
        msg = (
            f"{where}: {argument} must be a class or a function that makes an actor, got the "
            f"instance {actor!r}; write {type(actor).__name__}, or lambda: "
            f"{type(actor).__name__}(...)"
        )
        raise TypeError(msg)
    if not callable(actor):
        msg = (
            f"{where}: {argument} must be a class or a function that makes an actor, got {actor!r}"
        )
        raise TypeError(msg)
    if name is None:
        return
    if not isinstance(name, str):
        msg = f"{where}: name must be a string, got {name!r}"
        raise TypeError(msg)
    if not name or "/" in name or "#" in name:
        msg = f"{where}: name must not be empty nor contain '/' or '#', got {name!r}"
        raise ValueError(msg)


def free_lookup(path: str) -> Program[ActorRef[Any], ActorNotFound]:
    """Find a living actor by its path.

    Args:
        path: Path within the system, such as `/shop/till`.

    Returns:
        A program that answers the ref, or fails with `ActorNotFound`.

    Raises:
        ValueError: If *path* does not start with a slash.
    """
    if not isinstance(path, str) or not path.startswith("/"):  # pyright: ignore[reportUnnecessaryIsInstance]
        msg = f"free_lookup: path must look like '/shop/till', got {path!r}"
        raise ValueError(msg)
    return Lookup(path)


def free_self() -> Program[ActorRef[Any]]:
    """Answer the ref of the actor that runs the program, or of the run itself.

    Returns:
        A program that answers a ref.
    """
    return Self()


def free_sleep(duration: float) -> Program[None]:
    """Let time pass. The simulator moves its clock instead of waiting.

    Args:
        duration: Seconds, at least 0.

    Returns:
        A program that answers None afterwards.

    Raises:
        TypeError: If *duration* is no number.
        ValueError: If it is negative or not finite.
    """
    return Sleep(a_duration("free_sleep", "duration", duration))


def free_now() -> Program[datetime]:
    """Answer the time of day.

    Returns:
        A program that answers a `datetime` in UTC. In the simulator it is
        virtual and starts at 2000-01-01.
    """
    return Now()


def free_random() -> Program[float]:
    """Answer a random number.

    Returns:
        A program that answers a float of at least 0 and below 1. In the
        simulator it follows from the seed.
    """
    return Random()


def free_uuid() -> Program[UUID]:
    """Answer a random UUID (version 4).

    Returns:
        A program that answers it. In the simulator it follows from the seed.
    """
    return Uuid()


def free_log(level: LogLevel, text: str, **fields: object) -> Program[None]:
    """Write to the log `effactor.program`.

    Args:
        level: `"debug"`, `"info"`, `"warning"`, `"error"` or `"critical"`.
        text: The message.
        fields: Anything else worth keeping, by name.

    Returns:
        A program that answers None.

    Raises:
        ValueError: If *level* is none of these.
    """
    if level not in get_args(LogLevel):
        msg = f"free_log: level must be one of {', '.join(get_args(LogLevel))}, got {level!r}"
        raise ValueError(msg)
    return Log(level, text, fields)


@overload
def free_call(
    function: Callable[P, Awaitable[A]], *args: P.args, **kwargs: P.kwargs
) -> Program[A]: ...
@overload
def free_call(function: Callable[P, A], *args: P.args, **kwargs: P.kwargs) -> Program[A]: ...
def free_call(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Program[Any]:
    """Call a function of the outside world: the one impure leaf of programs.

    The call has the function's name in traces. The simulator makes it for real
    unless `sim.answer(function, ...)` says what it answers.

    Args:
        function: Any function; if it returns an awaitable, that is awaited.
        args: Its arguments.
        kwargs: Its keyword arguments.

    Returns:
        A program that answers what the function answers. What it raises is a
        defect; `.refine(OSError)` makes it a failure.

    Raises:
        TypeError: If *function* cannot be called.
    """
    if not callable(function):
        hint = " (give the function and its arguments, not the result of calling it)"
        msg = f"free_call: function must be callable, got {function!r}{hint}"
        raise TypeError(msg)
    return Call(function, args, kwargs)
