"""Fixtures of all tests."""

from __future__ import annotations

from typing import Any

import pytest
from worlds import WORLDS


@pytest.fixture(params=WORLDS, ids=lambda world: world.name)
def world(request: pytest.FixtureRequest) -> Any:
    """One of the worlds: `world.run(body)` awaits `body(system)` in it."""
    return request.param
