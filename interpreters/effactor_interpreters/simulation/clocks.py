"""The clocks of the standard library, on virtual time.

`time`'s functions are replaced. `datetime.datetime` is written in C and cannot be changed:
in the user's modules the name stands for `VirtualDatetime` during a campaign, which makes
and recognises ordinary datetimes, and differs in `now`, `utcnow` and `today` alone.
"""

from __future__ import annotations

import datetime as dt
import time
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

from typing_extensions import override

from effactor_interpreters.simulation.active import current_world

if TYPE_CHECKING:
    from collections.abc import Callable

    from effactor_interpreters.simulation.patches import Patches
    from effactor_interpreters.simulation.world import SimulatedWorld

_REAL = dt.datetime  # that of the standard library, whatever the name stands for elsewhere


def _nanoseconds(world: SimulatedWorld) -> int:
    world.read_clock()
    return world.nanoseconds


_CLOCKS: Final[tuple[tuple[str, Callable[[SimulatedWorld], Any]], ...]] = (
    ("time", lambda w: w.wall_seconds()),
    ("time_ns", lambda w: w.wall_nanoseconds()),
    *((name, lambda w: w.read_clock()) for name in ("monotonic", "perf_counter")),
    *((name, lambda w: w.read_clock()) for name in ("process_time", "thread_time")),
    *((f"{name}_ns", _nanoseconds) for name in ("monotonic", "perf_counter")),
    *((f"{name}_ns", _nanoseconds) for name in ("process_time", "thread_time")),
)


def install(patches: Patches) -> None:
    """Put all clocks on virtual time, where a simulation runs.

    Args:
        patches: Remembers what was there.
    """
    for name, virtual in _CLOCKS:
        if hasattr(time, name):
            patches.put(time, name, _virtual(getattr(time, name), virtual))
    if hasattr(time, "clock_gettime"):
        patches.put(time, "clock_gettime", _of_machine(time.clock_gettime, ns=False))
        patches.put(time, "clock_gettime_ns", _of_machine(time.clock_gettime_ns, ns=True))
    for name in ("localtime", "gmtime", "ctime"):
        patches.put(time, name, _broken_down(getattr(time, name)))
    patches.put(time, "asctime", _with_moment(time.asctime))
    patches.put(time, "strftime", _strftime(time.strftime))
    patches.put(time, "sleep", _sleep(time.sleep))
    patches.put_for_users(dt.datetime, VirtualDatetime)
    patches.put_for_users(dt, _module)


def _virtual(real: Callable[[], Any], virtual: Callable[[SimulatedWorld], Any]) -> Any:
    def read() -> Any:
        world = current_world()
        return real() if world is None else virtual(world)

    return read


def _of_machine(real: Callable[[int], Any], *, ns: bool) -> Any:
    def read(clock: int) -> Any:
        world = current_world()
        if world is None:
            return real(clock)
        if clock == time.CLOCK_REALTIME:
            return world.wall_nanoseconds() if ns else world.wall_seconds()
        return _nanoseconds(world) if ns else world.read_clock()

    return read


def _sleep(real: Callable[[float], None]) -> Callable[[float], None]:
    def sleep(seconds: float) -> None:
        world = current_world()
        if world is None:
            real(seconds)
        else:
            world.skip(seconds)

    return sleep


def _broken_down(real: Callable[..., Any]) -> Callable[..., Any]:
    def of(seconds: float | None = None) -> Any:
        world = current_world()
        if seconds is None and world is not None:
            seconds = world.wall_seconds()
        return real(seconds)

    return of


def _with_moment(real: Callable[..., str]) -> Callable[..., str]:
    def asctime(*moment: Any) -> str:
        return real(*(moment or (time.localtime(),)))

    return asctime


def _strftime(real: Callable[..., str]) -> Callable[..., str]:
    def strftime(form: str, *moment: Any) -> str:
        return real(form, *(moment or (time.localtime(),)))

    return strftime


class _Recognising(type):
    """Lets a class stand for the real one in every comparison but `is`."""

    @override
    def __instancecheck__(cls, instance: object) -> bool:
        if cls is VirtualDatetime:
            return isinstance(instance, _REAL)
        return super().__instancecheck__(instance)

    @override
    def __subclasscheck__(cls, subclass: type) -> bool:
        if cls is VirtualDatetime:
            return issubclass(subclass, _REAL)
        return super().__subclasscheck__(subclass)

    @override
    def __eq__(cls, other: object) -> bool:
        return other is cls or (cls is VirtualDatetime and other is _REAL)

    @override
    def __hash__(cls) -> int:
        return hash(_REAL) if cls is VirtualDatetime else super().__hash__()

    @override
    def __repr__(cls) -> str:
        return repr(_REAL) if cls is VirtualDatetime else super().__repr__()


class VirtualDatetime(_REAL, metaclass=_Recognising):
    """What the name `datetime` stands for in the user's modules, during a campaign."""

    @override
    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        """Make a real one."""
        return _REAL.__new__(_REAL if cls is VirtualDatetime else cls, *args, **kwargs)

    @override
    @classmethod
    def now(cls, tz: dt.tzinfo | None = None) -> Any:
        """Return the virtual time of day, in a time zone or in the machine's own."""
        world = current_world()
        if world is None:
            return super().now(tz)
        moment = world.now()
        local = moment.astimezone().replace(tzinfo=None) if tz is None else moment.astimezone(tz)
        return cls._like(local)

    @override
    @classmethod
    def today(cls) -> Any:
        """Return the virtual time of day, in the machine's own time zone."""
        return cls.now()

    @override
    @classmethod
    def utcnow(cls) -> Any:
        """Return the virtual time of day in UTC, without a time zone."""
        world = current_world()
        if world is None:
            return super().utcnow()  # pyright: ignore[reportDeprecated]
        return cls._like(world.now().replace(tzinfo=None))

    @classmethod
    def _like(cls, moment: dt.datetime) -> Any:
        if cls is VirtualDatetime:
            return moment
        return cls.combine(moment.date(), moment.timetz())


VirtualDatetime.__module__ = _REAL.__module__
VirtualDatetime.__name__ = VirtualDatetime.__qualname__ = _REAL.__qualname__

_module: Final = ModuleType("datetime", dt.__doc__)
vars(_module).update(vars(dt), datetime=VirtualDatetime)
