"""The methods of programs, `catch`, and `Exit` by `match`."""

from __future__ import annotations

from typing import Never, assert_never, assert_type

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
    free_log,
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
get.ensure(get)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
get.refine(str)  # type: ignore[type-var]  # pyright: ignore[reportCallIssue, reportArgumentType]


def results(good: Result[int, Declined]) -> None:
    assert_type(from_result(good), Program[int, Declined])
    from_result(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


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
