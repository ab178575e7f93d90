"""Services: what a program needs from whoever runs it, asked for by class.

`service(Database)` is an effect, `Needs[Database]`, and `provide(database)` is its
handler: so a program's type says which services it needs, and running it without one
of them is a type error (the environment of ZIO and Effect, and no container).
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Generic, Never, Protocol, overload

from typing_extensions import TypeIs, TypeVar, override

from effactor.programs import structure
from effactor.programs.effects import Effect, Perform
from effactor.programs.handling import Handling, Shared

if TYPE_CHECKING:
    from effactor.programs.program import Program

S = TypeVar("S")
S_co = TypeVar("S_co", covariant=True)
S_contra = TypeVar("S_contra", contravariant=True)


class Needs(Effect[Any], Generic[S_contra]):
    """The effect of a program that needs a service of class `S`.

    A program that needs a `Database` can be run where a `Postgres` is at hand: so to
    type checkers a `Needs[Database]` is a `Needs[Postgres]`, and a subclass's instance
    answers it.

    Attributes:
        service: The class.
    """

    __slots__ = ("service",)

    def __init__(self, service: type[Any]) -> None:
        """Keep the class."""
        self.service: type[Any] = service

    def __needs__(self, service: S_contra) -> None:
        """Carry the type for the checkers; never called."""
        raise NotImplementedError

    @override
    def __eq__(self, other: object) -> bool:
        if not is_need(other):
            return NotImplemented
        return self.service is other.service

    @override
    def __hash__(self) -> int:
        return hash((Needs, self.service))

    @override
    def __repr__(self) -> str:
        return f"Needs({self.service.__name__})"

    @override
    def __reduce__(self) -> tuple[Any, ...]:
        return Needs, (self.service,)

    @override
    def __unhandled__(self) -> str:
        name = self.service.__name__
        return f"nothing provides {name}: wrap the program in provide({name}, implementation)"


class AbstractClass(Protocol[S_co]):
    """A class that mypy does not take for a `type[S]`: an abstract one, or a protocol."""

    def __call__(self, *args: Any, **kwargs: Any) -> S_co:
        """Carry the type of its instances."""
        ...

    def mro(self) -> list[type[Any]]:
        """Tell it from a function."""
        ...


class Provided(Shared):
    """The handler of `Needs` that has these *offers*: pairs of class and implementation.

    The class is None where the implementation may stand for all that it is.
    """

    __slots__ = ("offers",)

    def __init__(self, offers: tuple[tuple[type[Any] | None, Any], ...]) -> None:
        """Keep the offers, best first."""
        self.offers: tuple[tuple[type[Any] | None, Any], ...] = offers

    @override
    def __call__(self, effect: Needs[Any]) -> Any:
        """Answer the implementation, or leave the effect to the handlers further out."""
        for cls, implementation in self.offers:
            if _offers(cls, implementation, effect.service):
                return implementation
        further_out: Perform[Any, Any] = Perform(effect)
        return further_out

    @override
    def joined(self, other: Provided) -> Provided:
        """Put the other's offers behind these."""
        for cls, implementation in self.offers:
            for other_cls, behind in other.offers:
                wanted = _class(other_cls, behind)
                if _offers(cls, implementation, wanted):
                    first, second = _class(cls, implementation).__name__, wanted.__name__
                    msg = (
                        f"handle: the {second} would never be used, because provide({first}) "
                        f"before it answers for every {second}: keep one of them, or nest them"
                    )
                    raise TypeError(msg)
        return Provided(self.offers + other.offers)


def _class(cls: type[Any] | None, implementation: Any) -> type[Any]:
    """Return the class that an offer stands for."""
    own: type[Any] = implementation.__class__
    return own if cls is None else cls


def _offers(cls: type[Any] | None, implementation: object, wanted: type[Any]) -> bool:
    """Tell whether an offer answers a request for *wanted*."""
    if wanted in _class(cls, implementation).__mro__:
        return True
    try:
        return isinstance(implementation, wanted) if cls is None else issubclass(cls, wanted)
    except TypeError:  # a protocol that cannot be checked at run time: only by its name, then
        return False


def is_need(value: object) -> TypeIs[Needs[Any]]:
    """Tell whether *value* is a request for a service."""
    return isinstance(value, Needs)


def _service_class(where: str, service: Any) -> type[Any]:
    """Return *service* if it is a class."""
    if not inspect.isclass(service):
        msg = f"{where}: service must be a class, got {service!r}"
        raise TypeError(msg)
    return service


# mypy does not take abstract classes and protocols for a `type[S]`, and pyright does
# not see what calling an `AbstractClass` returns: each has the overload that it needs.
@overload
def service(service: type[S], /) -> Program[S, Never, Needs[S]]: ...
@overload
def service(service: AbstractClass[S], /) -> Program[S, Never, Needs[S]]: ...
def service(service: Any, /) -> Any:
    """Ask for a service: something the program needs and whoever runs it provides.

    Args:
        service: Its class; an abstract class or a protocol will do.

    Returns:
        A program that answers the implementation that the nearest `provide` around
        gives for this class. Its type says `Needs[...]` until there is one.

    Raises:
        TypeError: If *service* is no class.
    """
    asked: Perform[Any, Any] = Perform(Needs(_service_class("service", service)))
    return asked


@overload
def provide(implementation: S, /) -> Handling[Needs[S]]: ...
@overload
def provide(service: type[S], implementation: S, /) -> Handling[Needs[S]]: ...
@overload
def provide(service: AbstractClass[S], implementation: S, /) -> Handling[Needs[S]]: ...
def provide(*given: Any) -> Any:
    """Provide a service: `provide(database)(program)`.

    `provide(database)` answers requests for any class that *database* is an instance of.
    `provide(Database, database)` answers requests for `Database` and its bases only: say
    it so when the variable's type is narrower or wider than what the program asks for, or
    when `Database` is a protocol without `@runtime_checkable`, which Python cannot compare
    with an instance.

    The nearest `provide` that fits answers; others pass the request on to those further
    out. What a program is provided with is the same object at each request. Several
    services are provided by nesting, or as one level together with other handlers:
    `handle(provide(database), provide(mailer), on(Sql)(function))(program)`.

    Args:
        given: The implementation; or the service's class and the implementation.

    Returns:
        A handler to call with the program. Type checkers take `Needs` of the
        implementation's type out of the program's type.

    Raises:
        TypeError: If the implementation is a program, or a class without the class that
            it stands for; or if it is no instance of the service's class.
    """
    declared, implementation = _offer(given)
    if structure.is_program(implementation):
        msg = (
            f"provide: the implementation must be a value, got the program {implementation!r}: "
            "run it first, as in connect().bind(lambda database: provide(database)(program))"
        )
        raise TypeError(msg)
    offering: Handling[Any] = Handling(((Needs, Provided(((declared, implementation),))),))
    return offering


def _offer(given: tuple[Any, ...]) -> tuple[type[Any] | None, Any]:
    """Return the class and the implementation that `provide` was given."""
    if len(given) == 1:
        (implementation,) = given
        if inspect.isclass(implementation):
            name = implementation.__name__
            msg = (
                f"provide: got the class {name}: give an instance, or provide(service, {name}) "
                "if the class itself is the implementation"
            )
            raise TypeError(msg)
        return None, implementation
    if len(given) != len(("service", "implementation")):
        msg = (
            f"provide: one implementation, or a class and its implementation, got {len(given)} "
            "arguments; provide several services by nesting or in handle(provide(...), ...)"
        )
        raise TypeError(msg)
    declared, implementation = _service_class("provide", given[0]), given[1]
    try:
        fits = isinstance(implementation, declared)
    except TypeError:  # a protocol that cannot be checked at run time
        fits = True
    if not (fits or structure.is_program(implementation)):
        msg = (
            f"provide: implementation must be an instance of {declared.__name__}, "
            f"got {implementation!r}"
        )
        raise TypeError(msg)
    return declared, implementation
