"""Orders, as they come in a file: one JSON object a line."""

import json
from dataclasses import dataclass
from typing import Any, Self


class Malformed(Exception):
    """A line is no order; the message says why."""


@dataclass(frozen=True)
class Order:
    id: str
    customer: str
    sku: str
    quantity: int
    card: str
    cents: int

    @classmethod
    def from_json(cls, line: str) -> Self:
        """Read a line, or raise `Malformed`."""
        try:
            fields: Any = json.loads(line)
        except ValueError as error:
            raise Malformed(f"not JSON: {error}") from None
        return cls(
            id=_text(fields, "id"),
            customer=_text(fields, "customer"),
            sku=_text(fields, "sku"),
            quantity=_number(fields, "quantity"),
            card=_text(fields, "card"),
            cents=_number(fields, "cents"),
        )


def _text(fields: Any, name: str) -> str:
    value = _present(fields, name)
    if not isinstance(value, str) or not value:
        raise Malformed(f'"{name}" must be a text, got {json.dumps(value)}')
    return value


def _number(fields: Any, name: str) -> int:
    value = _present(fields, name)
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise Malformed(f'"{name}" must be a whole number of at least 1, got {json.dumps(value)}')
    return value


def _present(fields: Any, name: str) -> Any:
    if not isinstance(fields, dict):
        raise Malformed(f"not an object: {json.dumps(fields)}")
    if name not in fields:
        raise Malformed(f'"{name}" missing')
    return fields[name]  # pyright: ignore[reportUnknownVariableType]
