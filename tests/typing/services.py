"""Services: the type says which are needed; one that is missing is an error where it runs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Generic, Never, Protocol, assert_type

from typing_extensions import TypeVar, override

from effactor import (
    ActorSystem,
    Do,
    Effect,
    Handling,
    Needs,
    Program,
    handle,
    on,
    perform,
    program,
    provide,
    run_free,
    service,
)

T = TypeVar("T")


class Database:
    def rows(self, query: str) -> list[str]:
        return [query]


class Postgres(Database):
    pass


class Mailer(Protocol):
    def send(self, to: str) -> None: ...


class Smtp:
    def send(self, to: str) -> None:
        pass


class Cache(ABC):
    @abstractmethod
    def look_up(self, key: str) -> str | None: ...


class Memory(Cache):
    @override
    def look_up(self, key: str) -> str | None:
        return None


class Repository(Generic[T]):
    pass


@dataclass(frozen=True)
class Sql(Effect[list[str]]):
    text: str


@dataclass(frozen=True)
class Log(Effect[None]):
    text: str


database = Database()
postgres = Postgres()
smtp = Smtp()
memory = Memory()

# Classes, abstract classes and protocols.
assert_type(service(Database), Program[Database, Never, Needs[Database]])
assert_type(service(Cache), Program[Cache, Never, Needs[Cache]])
assert_type(service(Mailer), Program[Mailer, Never, Needs[Mailer]])
assert_type(service(Repository[int]), Program[Repository[int], Never, Needs[Repository[int]]])
service(database)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
service(run_free)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]


@program
def report(to: str) -> Do[int, Never, Needs[Database] | Needs[Mailer]]:
    found = yield from service(Database)
    assert_type(found, Database)
    mailer = yield from service(Mailer)
    assert_type(mailer, Mailer)
    mailer.send(to)
    return len(found.rows("q"))


@program
def undeclared() -> Do[int, Never, Needs[Database]]:
    yield from service(Mailer)  # type: ignore[misc]  # pyright: ignore[reportReturnType]
    return 1


needy = report("ada")
assert_type(needy, Program[int, Never, Needs[Database] | Needs[Mailer]])

# Providing takes exactly that service out of the type.
assert_type(provide(database), Handling[Needs[Database]])
assert_type(provide(Database, postgres), Handling[Needs[Database]])
assert_type(provide(database)(needy), Program[int, Never, Needs[Mailer]])
assert_type(provide(smtp)(needy), Program[int, Never, Needs[Database]])
assert_type(provide(database)(provide(smtp)(needy)), Program[int])
assert_type(needy.pipe(provide(smtp)).pipe(provide(database)), Program[int])
assert_type(handle(provide(database), provide(smtp))(needy), Program[int])
# An instance of a subclass will do, and so will one that fits the protocol.
asked = service(Database)
assert_type(provide(postgres)(asked), Program[Database])
assert_type(provide(Database, postgres)(asked), Program[Database])
assert_type(provide(Mailer, smtp)(service(Mailer)), Program[Mailer])
cached = service(Cache)
assert_type(provide(memory)(cached), Program[Cache])
assert_type(provide(Cache, memory)(cached), Program[Cache])
# Not the other way: a database need not be a Postgres.
special = service(Postgres)
assert_type(provide(database)(special), Program[Postgres, Never, Needs[Postgres]])
# Where `service(...)` itself is the argument, mypy infers its class from what is provided.
provide(postgres)(service(Database))  # type: ignore[arg-type]
assert_type(provide(database)(service(Postgres)), Program[Postgres, Never, Needs[Postgres]])  # type: ignore[assert-type]
assert_type(provide(postgres)(service(Database).map(repr)), Program[str])
declared: Database = postgres
assert_type(provide(declared)(needy), Program[int, Never, Needs[Mailer]])

# Beside other effects.
mixed = needy.then(perform(Sql("q")))
assert_type(mixed, Program[list[str], Never, Needs[Database] | Needs[Mailer] | Sql])
assert_type(
    handle(provide(database), provide(smtp), on(Sql)(lambda e: [e.text]))(mixed),
    Program[list[str]],
)
assert_type(
    handle(provide(database), on(Sql)(lambda e: [e.text]))(mixed),
    Program[list[str], Never, Needs[Mailer]],
)
rest: Program[list[str], Never, Needs[Mailer] | Sql] = provide(database)(mixed)
assert_type(handle(on(Sql)(lambda e: [e.text]))(rest), Program[list[str], Never, Needs[Mailer]])

# mypy joins what is left where two or more are left and it does not know what to
# expect; pyright is exact.
assert_type(provide(smtp)(mixed), Program[list[str], Never, Needs[Database] | Sql])  # type: ignore[assert-type]


def sql_by_database(effect: Sql) -> Program[list[str], Never, Needs[Database]]:
    return service(Database).map(lambda found: found.rows(effect.text))


# A handler may need services itself; those further out provide them.
inner = handle(Sql)(sql_by_database)(perform(Sql("q")))
assert_type(inner, Program[list[str], Never, Needs[Database]])
assert_type(provide(database)(inner), Program[list[str]])

run_free(needy)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
run_free(provide(smtp)(needy))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
assert_type(run_free(handle(provide(postgres), provide(smtp))(needy)), int)


async def live(system: ActorSystem) -> None:
    assert_type(await system.run_free(provide(database)(provide(smtp)(needy))), int)
    await system.run_free(provide(database)(needy))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
