"""A module of a user's that has its own names for what the simulator makes virtual."""

from __future__ import annotations

import datetime as dt
from datetime import datetime
from os import urandom
from random import Random, random
from secrets import token_hex
from socket import getaddrinfo
from time import monotonic, sleep, time
from uuid import uuid1, uuid4

__all__ = [
    "Random",
    "datetime",
    "dt",
    "getaddrinfo",
    "monotonic",
    "random",
    "sleep",
    "time",
    "token_hex",
    "urandom",
    "uuid1",
    "uuid4",
]
