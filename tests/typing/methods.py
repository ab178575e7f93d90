"""The methods of programs, `catch`, and `Exit` by `match`."""

from __future__ import annotations

from typing import Never, assert_never, assert_type

from returns.converters import result_to_maybe
from returns.io import IOResult
from returns.maybe import Maybe
from returns.result import Result
from vocabulary import Declined, Get, NoStock, Pay, Reserve, counter, shop

from effactor import (
    AskFailed,
    Died,
    Do,
    Exit,
    FailedWith,
    Free,
    Interrupted,
    Program,
    Succeeded,
    catch,
    fail,
    free_ask,
    free_call,
    free_log,
    from_io_result,
    from_maybe,
    from_result,
    program,
    pure,
)

get = free_ask(counter, Get())
reserve = free_ask(shop, Reserve("tea"))
pay = free_ask(shop, Pay(1))
safe = pure(1)

assert_type(get, Program[int, AskFailed])
assert_type(safe, Program[int])
assert_type(fail(Declined()), Program[Never, Declined])
assert_type(get.map(str), Program[str, AskFailed])
assert_type(get.map(lambda n: (n, n)), Program[tuple[int, int], AskFailed])
assert_type(reserve.bind(lambda n: pay), Program[str, AskFailed | NoStock | Declined])
assert_type(get.bind(lambda n: reserve), Program[int, AskFailed | NoStock])
assert_type(get.flatMap(lambda n: pure(str(n))), Program[str, AskFailed])
assert_type(safe.bind(lambda n: get), Program[int, AskFailed])
assert_type(safe.bind(lambda n: fail(Declined()) if n > 9 else pure(n)), Program[int, Declined])
assert_type(get.then(reserve.map(str)), Program[str, AskFailed | NoStock])
assert_type(get.tap(lambda n: free_log("info", str(n))), Program[int, AskFailed])
assert_type(get.tap(lambda n: reserve), Program[int, AskFailed | NoStock])
assert_type(get.alt(str), Program[int, str])
assert_type(reserve.alt(lambda error: [error]), Program[int, list[AskFailed | NoStock]])
assert_type(get.lash(lambda error: pure(repr(error))), Program[int | str])
assert_type(get.lash(lambda error: reserve), Program[int, AskFailed | NoStock])
assert_type(reserve.or_else(pure("none")), Program[int | str])
assert_type(reserve.or_else(get), Program[int, AskFailed])
assert_type(pay.or_else(fail(Declined())), Program[str, Declined])
assert_type(reserve.attempt(), Program[Result[int, AskFailed | NoStock]])
assert_type(reserve.exit(), Program[Exit[int, AskFailed | NoStock]])
assert_type(get.refine(OSError), Program[int, AskFailed | OSError])
assert_type(get.refine(OSError, KeyError), Program[int, AskFailed | OSError | KeyError])
assert_type(safe.refine(OSError), Program[int, OSError])
assert_type(get.ensure(free_log("info", "done")), Program[int, AskFailed])
assert_type(get.named("the count"), Program[int, AskFailed])


def halved(p: Program[int, AskFailed]) -> Program[float]:
    return p.map(lambda n: n / 2).lash(lambda _: pure(0.0))


assert_type(get.pipe(halved), Program[float])
assert_type(get.pipe(repr), str)

# `Free` is the same class.
free: Free[int, AskFailed] = get
assert_type(free, Program[int, AskFailed])
same: Program[int, AskFailed] = free

# A program that answers and fails with less is usable where more is expected.
wider: Program[int | str, AskFailed | NoStock] = get
narrower: Program[int] = get  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]

get.map("text")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
get.bind(lambda n: n)  # type: ignore[arg-type, return-value]  # pyright: ignore[reportArgumentType]
get.then(lambda: safe)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
get.or_else(lambda: safe)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
get.bind_result(lambda n: n)  # type: ignore[arg-type, return-value]  # pyright: ignore[reportArgumentType]
get.ensure(get)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
get.refine(str)  # type: ignore[type-var]  # pyright: ignore[reportCallIssue, reportArgumentType]


def results(good: Result[int, Declined]) -> None:
    assert_type(from_result(good), Program[int, Declined])
    from_result(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def checked(n: int) -> Result[str, Declined]:
    raise NotImplementedError


def fetched(n: int) -> IOResult[str, NoStock]:
    raise NotImplementedError


def bound_results() -> None:
    assert_type(safe.bind_result(checked), Program[str, Declined])
    assert_type(get.bind_result(checked), Program[str, AskFailed | Declined])
    assert_type(safe.bind(lambda n: from_result(checked(n))), Program[str, Declined])


def other_containers(some: Maybe[int], done: IOResult[int, Declined]) -> None:
    assert_type(from_maybe(some), Program[int, None])
    assert_type(from_maybe(some, Declined()), Program[int, Declined])
    assert_type(from_io_result(done), Program[int, Declined])
    assert_type(free_call(fetched, 1).bind(from_io_result), Program[str, NoStock])
    from_maybe(1)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    from_io_result(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


# The way back.
def to_maybe(result: Result[int, AskFailed]) -> Maybe[int]:
    return result_to_maybe(result)


assert_type(get.attempt().map(to_maybe), Program[Maybe[int]])
assert_type(get.attempt().map(result_to_maybe), Program[Maybe[int]])
assert_type(get.attempt().map(IOResult.from_result), Program[IOResult[int, AskFailed]])
assert_type(get.attempt().bind(from_result), Program[int, AskFailed])


@program
def ways_to_end() -> Do[str]:
    done = yield from reserve.exit()
    match done:
        case Succeeded(value):
            assert_type(value, int)
            return str(value)
        case FailedWith(error):
            assert_type(error, AskFailed | NoStock)
            return repr(error)
        case Died(defect):
            assert_type(defect, BaseException)
            return repr(defect)
        case Interrupted():
            return "interrupted"
        case _:
            assert_never(done)


@program
def forgotten_way() -> Do[str]:
    done = yield from reserve.exit()
    match done:
        case Succeeded(value):
            return str(value)
        case FailedWith(error):
            return repr(error)
        case Died(defect):
            return repr(defect)
        case _:
            assert_never(done)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


@program
def attempted() -> Do[int]:
    result = yield from reserve.attempt()
    assert_type(result.map(str), Result[str, AskFailed | NoStock])
    assert_type(result.failure(), AskFailed | NoStock)
    return result.value_or(0)


# `catch` takes exactly the classes it names out of the type.
def on_no_stock(error: NoStock) -> Program[str]:
    return pure(error.sku)


def on_both(error: NoStock | Declined) -> Program[None]:
    return pure(None)


assert_type(catch(NoStock)(on_no_stock)(reserve), Program[int | str, AskFailed])
assert_type(catch(AskFailed)(lambda e: pure(0))(get), Program[int])
assert_type(catch(NoStock, Declined)(on_both)(pay), Program[str | None, AskFailed])
assert_type(catch(NoStock, Declined)(lambda e: pure(0))(pay), Program[str | int, AskFailed])
assert_type(catch(NoStock)(lambda e: fail(Declined()))(reserve), Program[int, Declined | AskFailed])
assert_type(reserve.pipe(catch(NoStock)(on_no_stock)), Program[int | str, AskFailed])
assert_type(pay.pipe(catch(NoStock, Declined)(on_both)), Program[str | None, AskFailed])

# mypy joins what is left to its base class where two or more are left and it does not
# know what to expect; pyright is exact.
left = catch(NoStock)(on_no_stock)(pay)
assert_type(left, Program[str, AskFailed | Declined])  # type: ignore[assert-type]
expected: Program[str, AskFailed | Declined] = catch(NoStock)(on_no_stock)(pay)
assert_type(catch(Declined)(lambda e: pure(1))(expected), Program[str | int, AskFailed])
recovered = pay.lash(lambda e: pure(1) if isinstance(e, NoStock) else fail(e))
assert_type(recovered, Program[str | int, AskFailed | Declined])


def in_context() -> Program[str, AskFailed | Declined]:
    return catch(NoStock)(on_no_stock)(pay)


catch(Declined)(on_no_stock)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
catch(NoStock)(lambda e: e.sku)  # type: ignore[arg-type, return-value]  # pyright: ignore[reportArgumentType]
catch("NoStock")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]


# ---------------------------------------------------------------- longer rows of failures


class Late(Exception):
    pass


class Lost(Exception):
    pass


class Odd(Exception):
    pass


class Torn(Exception):
    pass


class Wet(Exception):
    pass


class Worn(Exception):
    pass


assert_type(pay, Program[str, AskFailed | NoStock | Declined])  # three members
row4 = pay.refine(Late)
assert_type(row4, Program[str, AskFailed | NoStock | Declined | Late])
row8 = pay.refine(Late, Lost, Odd).refine(Torn, Wet)
assert_type(row8, Program[str, AskFailed | NoStock | Declined | Late | Lost | Odd | Torn | Wet])
row9 = row8.refine(Worn)

# Exact in both where at most one member is left.
assert_type(catch(AskFailed, NoStock)(lambda e: pure(0))(pay), Program[str | int, Declined])
assert_type(catch(AskFailed, NoStock, Declined)(lambda e: pure(0))(pay), Program[str | int])
assert_type(catch(AskFailed, NoStock, Declined)(lambda e: pure(0))(row4), Program[str | int, Late])
assert_type(catch(AskFailed, NoStock, Declined, Late)(lambda e: pure(repr(e)))(row4), Program[str])
assert_type(
    catch(NoStock, AskFailed, Late)(lambda e: fail(Odd()))(row4), Program[str, Odd | Declined]
)
assert_type(
    catch(AskFailed, NoStock, Declined, Late, Lost)(lambda e: fail([e]))(row4),
    Program[str, list[AskFailed | NoStock | Declined | Late | Lost]],
)
assert_type(
    catch(AskFailed, NoStock, Declined, Late, Lost, Odd)(lambda e: pure(""))(row4), Program[str]
)
assert_type(
    catch(AskFailed, NoStock, Declined, Late, Lost, Odd, Torn)(lambda e: pure(""))(row8),
    Program[str, Wet],
)
assert_type(
    catch(AskFailed, NoStock, Declined, Late, Lost, Odd, Torn, Wet)(lambda e: pure(""))(row8),
    Program[str],
)
assert_type(
    catch(AskFailed, NoStock, Declined, Late, Lost, Odd, Torn, Wet)(lambda e: pure(""))(row9),
    Program[str, Worn],
)

# Where two or more are left, pyright is exact; mypy when it knows what to expect.
two_left = catch(AskFailed, NoStock)(lambda e: pure(""))(row4)
assert_type(two_left, Program[str, Declined | Late])  # type: ignore[assert-type]
three_left = catch(NoStock)(lambda e: pure(""))(row4)
assert_type(three_left, Program[str, AskFailed | Declined | Late])  # type: ignore[assert-type]
annotated2: Program[str, Declined | Late] = catch(AskFailed, NoStock)(lambda e: pure(""))(row4)
annotated3: Program[str, AskFailed | Declined | Late] = catch(NoStock)(lambda e: pure(""))(row4)
assert_type(catch(AskFailed, Late)(lambda e: pure(""))(annotated3), Program[str, Declined])
too_narrow: Program[str, Declined] = catch(AskFailed, NoStock)(lambda e: pure(""))(row4)  # type: ignore[arg-type]  # pyright: ignore[reportAssignmentType]
lashed = row4.lash(lambda e: pure("") if isinstance(e, (AskFailed, NoStock)) else fail(e))
assert_type(lashed, Program[str, Declined | Late])
