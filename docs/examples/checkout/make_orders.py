"""Writes 500 orders, always the same: `python make_orders.py > orders.jsonl`.

There are 12 boxes of saffron in the shop and 19 orders of one box, so 7 customers come
too late, whoever they are; the 4 orders with a blocked card are for goods that nobody
else can miss; line 212 has no quantity. So 488 orders are sold in whatever order they
are checked out.
"""

import json
import random

PRICES = {"tea": 450, "coffee": 1290, "honey": 820, "olive oil": 1650, "chocolate": 375}
CARDS = ("4242424242424242", "5555555555554444", "378282246310005", "6011111111111117")
BLOCKED = "4000000000000002"
CUSTOMERS = (
    *("Ada", "Alonzo", "Barbara", "Carl", "Dana", "Edsger", "Frances", "Grace", "Hedy", "Ivan"),
    *("Jean", "Katherine", "Leslie", "Margaret", "Niklaus", "Olga", "Peter", "Radia", "Sophie"),
    "Tony",
)

SAFFRON = (9, 31, 52, 74, 103, 127, 148, 169, 190, 221, 246, 270, 301, 322, 347, 391, 418, 455, 489)
DECLINED = (66, 183, 264, 437)
MALFORMED = 212

chance = random.Random(2024)
for line in range(1, 501):
    saffron = line in SAFFRON
    sku = "saffron" if saffron else chance.choice(list(PRICES))
    quantity = 1 if saffron else chance.choices((1, 2, 3, 6), weights=(60, 25, 10, 5))[0]
    order = {
        "id": f"A-{1000 + line}",
        "customer": chance.choice(CUSTOMERS),
        "sku": sku,
        "quantity": quantity,
        "card": BLOCKED if line in DECLINED else chance.choice(CARDS),
        "cents": (2400 if saffron else PRICES[sku]) * quantity,
    }
    if line == MALFORMED:
        del order["quantity"]
    print(json.dumps(order))
