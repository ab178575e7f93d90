"""The shop's tests. A simulation test has no asyncio, no sleeps and no mocks."""

from collections import Counter
from pathlib import Path

import pytest

from effactor.interpreters import ActorSystem, Simulation, explore, replay
from orders import Malformed, Order
from shop import (
    ADA,
    EVE,
    checkout,
    checkout_all,
    never_oversold,
    open_shop,
    oversells,
)
from shop_actors import Declined, NoStock

ORDERS = Path(__file__).with_name("orders.jsonl")


def test_never_oversold() -> None:
    verdict = explore(never_oversold, schedules=300)
    assert verdict, str(verdict)


def test_the_hasty_checkout_oversells_and_its_token_shows_it_again() -> None:
    verdict = explore(oversells)
    assert verdict.failure is not None
    assert "stock is never negative" in str(replay(oversells, verdict.failure.token).error)


def test_a_declined_card_gives_the_goods_back() -> None:
    def scenario(sim: Simulation) -> None:
        shop = sim.run(open_shop({"tea": 1}))
        with pytest.raises(Declined):
            sim.run(checkout(shop, EVE))
        assert sim.run(checkout(shop, ADA)) == "receipt of A-1"
        with pytest.raises(NoStock):
            sim.run(checkout(shop, ADA))

    verdict = explore(scenario, schedules=50, time="latency")
    assert verdict, str(verdict)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('{"id": "A-1", "customer": "Ada", "sku": "tea"}', '"quantity" missing'),
        (
            '{"id": "A-1", "customer": "Ada", "sku": "tea", "quantity": 0}',
            '"quantity" must be a whole number of at least 1, got 0',
        ),
        ('{"id": 1}', '"id" must be a text, got 1'),
        ("[1, 2]", "not an object: [1, 2]"),
        ("", "not JSON: Expecting value: line 1 column 1 (char 0)"),
    ],
)
def test_a_malformed_line_says_why(line: str, why: str) -> None:
    with pytest.raises(Malformed) as raised:
        Order.from_json(line)
    assert str(raised.value) == why


async def test_all_orders_are_checked_out() -> None:
    lines = ORDERS.read_text(encoding="utf-8").splitlines()
    async with ActorSystem("shop") as system:
        outcomes = [outcome async for outcome in checkout_all(system, lines)]
    assert Counter(label for label, _ in outcomes) == {
        "sold": 488,
        "out of stock": 7,
        "declined": 4,
        "malformed": 1,
    }
    assert ("malformed", 'line 212: "quantity" missing') in outcomes
