"""A shop's checkout: a workflow over three actors, as a value.

Top to bottom: the workflow, the same workflow with a bug, and what the command
`effactor` runs, draws and simulates.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Never, TypeVar

from returns.result import Result, Success

from effactor import ActorRef, AskFailed, Do, Program, catch, fail, free_ask, free_spawn, program
from effactor.interpreters import ActorSystem, Simulation
from orders import Malformed, Order
from shop_actors import (
    Cancel,
    Charge,
    Declined,
    Inventory,
    Ledger,
    Look,
    NoStock,
    Payment,
    Record,
    Release,
    Reserve,
    Take,
)

E = TypeVar("E")

# ---------------------------------------------------------------- the workflow


@dataclass(frozen=True)
class Shop:
    inventory: ActorRef[Look | Take | Reserve | Release]
    payment: ActorRef[Charge | Cancel]
    ledger: ActorRef[Record]


@program
def open_shop(stock: Mapping[str, int], bank_seconds: float = 0.002) -> Do[Shop]:
    inventory = yield from free_spawn(partial(Inventory, stock), "inventory")
    payment = yield from free_spawn(partial(Payment, bank_seconds), "payment")
    ledger = yield from free_spawn(Ledger, "ledger")
    return Shop(inventory, payment, ledger)


@program
def checkout(shop: Shop, order: Order) -> Do[str, AskFailed | NoStock | Declined]:
    """Reserve, charge, record; an order that is not paid gives its goods back."""
    reservation = yield from free_ask(shop.inventory, Reserve(order.sku, order.quantity))
    charge = free_ask(shop.payment, Charge(order.id, order.card, order.cents), timeout=2.0)
    paid: Program[str, AskFailed | Declined] = charge.pipe(
        catch(AskFailed)(partial(cancel, shop, order, reservation))
    ).pipe(catch(Declined)(partial(release, shop, reservation)))
    receipt = yield from paid
    yield from free_ask(shop.ledger, Record(order.id, order.cents))
    return receipt


def release(shop: Shop, reservation: int, error: E) -> Program[Never, AskFailed | E]:
    return free_ask(shop.inventory, Release(reservation)).then(fail(error))


def cancel(
    shop: Shop, order: Order, reservation: int, error: AskFailed
) -> Program[Never, AskFailed]:
    # No answer in time: the card may or may not have been charged. See that it is not.
    return free_ask(shop.payment, Cancel(order.id)).then(release(shop, reservation, error))


@program
def hasty_checkout(shop: Shop, order: Order) -> Do[str, AskFailed | NoStock | Declined]:
    """The bug: between its look and its take, someone else may take."""
    in_stock = yield from free_ask(shop.inventory, Look(order.sku))
    if in_stock < order.quantity:
        return (yield from fail(NoStock(order.sku)))
    yield from free_ask(shop.inventory, Take(order.sku, order.quantity))
    charge = Charge(order.id, order.card, order.cents)
    receipt = yield from free_ask(shop.payment, charge, timeout=2.0)
    yield from free_ask(shop.ledger, Record(order.id, order.cents))
    return receipt


def outcome(result: Result[str, AskFailed | NoStock | Declined]) -> str:
    if isinstance(result, Success):
        return "sold"
    match result.failure():
        case NoStock():
            return "out of stock"
        case Declined():
            return "declined"
        case AskFailed():
            return "not charged in time"


# ---------------------------------------------------------------- effactor run, dry-run

STOCK = {
    "tea": 200,
    "coffee": 200,
    "honey": 200,
    "olive oil": 200,
    "chocolate": 200,
    "saffron": 12,
}


@program
def checkout_one() -> Do[str, AskFailed | NoStock | Declined]:
    """Check out one order: `effactor run shop:checkout_one`, `effactor dry-run ...`."""
    shop = yield from open_shop(STOCK)
    order = Order("A-1001", "Ada", "tea", quantity=2, card="4242424242424242", cents=900)
    return (yield from checkout(shop, order))


# What the actors answer in a dry run: `effactor dry-run shop:checkout_one --answers declining`.
declining = {Reserve: 1, Charge: Declined("card ending in 0002")}


async def checkout_all(system: ActorSystem, lines: Iterable[str]) -> AsyncIterator[tuple[str, str]]:
    """Check out all orders, 25 customers at a time, and tell what became of each."""
    shop = await system.run_free(open_shop(STOCK))

    async def serve(number: int, line: str) -> tuple[str, str]:
        try:
            order = Order.from_json(line)
        except Malformed as error:
            return "malformed", f"line {number}: {error}"
        happened = outcome(await system.run_free(checkout(shop, order).attempt()))
        note = f"line {number}: {order.customer}, {order.sku}"
        return happened, "" if happened == "sold" else note

    customers = (serve(number, line) for number, line in enumerate(lines, 1))
    while crowd := list(islice(customers, 25)):
        for happened in await asyncio.gather(*crowd):
            yield happened


# ---------------------------------------------------------------- effactor simulate

ADA = Order("A-1", "Ada", "tea", quantity=1, card="4242424242424242", cents=450)
BOB = Order("A-2", "Bob", "tea", quantity=1, card="5555555555554444", cents=450)
EVE = Order("A-3", "Eve", "tea", quantity=1, card="4000000000000002", cents=450)


def oversells(sim: Simulation) -> None:
    """Two customers want the last tea, and the shop is hasty."""
    shop = sim.run(open_shop({"tea": 1}))
    stock = sim.actor(shop.inventory).stock
    sim.always(lambda: stock["tea"] >= 0, name="stock is never negative")
    sim.run_all([hasty_checkout(shop, o).named(o.customer).attempt() for o in (ADA, BOB)])


def never_oversold(sim: Simulation) -> None:
    """Three want the last two; the bank is slow, and one card is blocked."""
    shop = sim.run(open_shop({"tea": 2}, bank_seconds=0.9))
    stock = sim.actor(shop.inventory).stock
    charged = sim.actor(shop.payment).charged
    sales = sim.actor(shop.ledger).sales

    sim.always(lambda: stock["tea"] >= 0, name="stock is never negative")
    sim.goal(lambda: stock["tea"] + len(sales) == 2, name="what is not sold is on the shelf")
    sim.goal(lambda: charged == sales, name="who is charged gets the goods")

    orders = (ADA, BOB, EVE)
    results = sim.run_all([checkout(shop, o).named(o.customer).attempt() for o in orders])
    seen = {outcome(result) for result in results}
    sim.sometimes("out of stock" in seen, "someone comes too late")
    sim.sometimes("declined" in seen, "a card is declined")
    sim.sometimes("not charged in time" in seen, "a charge times out")
