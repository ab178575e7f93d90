"""Replay tokens: a run in one line of text, proportional to its deviations and faults.

`ef2:` and base64 of: conditions (time mode, delivery), fingerprint of the scenario's name,
seed, deviations, faults, checksum. A deviation is the distance from the previous one, the
index, and the identities of the event and of the default; a fault says what happened to
whom, so that it needs no plan to happen again. The token knows nothing of hash seeds,
addresses or source text. `ef1:` tokens, of before there were faults, are refused.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from dataclasses import dataclass, field
from typing import Final, Literal

from effactor.errors import BadToken
from effactor_interpreters.simulation.delivery import ORDERS, Order
from effactor_interpreters.simulation.faults.plan import RECORDED
from effactor_interpreters.simulation.faults.script import Deviation, Place, Script, Taken

TimeMode = Literal["async", "latency"]

PREFIX: Final = "ef2:"
_OLD: Final = "ef1:"
_MODES: Final[tuple[TimeMode, ...]] = ("async", "latency")
_PLACES: Final[tuple[Place, ...]] = ("step", "before effect", "after effect", "call", "time")


@dataclass(frozen=True, slots=True)
class Recording:
    """What a token says.

    Attributes:
        scenario: Name of the scenario or program.
        seed: Seed of the program's randomness.
        time: When timers may fire.
        delivery: In which order messages arrive.
        script: What the run did against the default.
    """

    scenario: str
    seed: int
    time: TimeMode
    script: Script = field(default_factory=Script)
    delivery: Order = "fifo"

    def encode(self) -> str:
        """Write the token.

        Returns:
            Text such as `ef2:AAECAw`.
        """
        data = bytearray()
        _varint(data, _MODES.index(self.time) + len(_MODES) * ORDERS.index(self.delivery))
        data += fingerprint(self.scenario).to_bytes(4, "big")
        _varint(data, self.seed)
        _varint(data, len(self.script.deviations))
        last = -1
        for each in self.script.deviations:
            _varint(data, each.position - last - 1)
            _varint(data, each.index)
            data += each.event.to_bytes(3, "big") + each.default.to_bytes(3, "big")
            last = each.position
        _varint(data, len(self.script.faults))
        for fault in self.script.faults:
            _varint(data, RECORDED.index(fault.kind))
            _varint(data, _PLACES.index(fault.place))
            for number in (fault.at, fault.events, fault.message, fault.lasting + 1):
                _varint(data, number)
            for text in (fault.target, fault.detail):
                written = text.encode()
                _varint(data, len(written))
                data += written
        data += zlib.crc32(data).to_bytes(4, "big")[:2]
        return PREFIX + base64.urlsafe_b64encode(bytes(data)).decode().rstrip("=")


def fingerprint(scenario: str) -> int:
    """Hash a scenario's name.

    Args:
        scenario: The name.

    Returns:
        32 bits, equal on all platforms.
    """
    return zlib.crc32(scenario.encode())


def decode(token: str, scenario: str) -> Recording:
    """Read a token.

    Args:
        token: What `Recording.encode` wrote.
        scenario: Name of the scenario to replay it with.

    Returns:
        The recording.

    Raises:
        BadToken: If it is no token, or one of another scenario.
    """
    is_text = isinstance(token, str)  # pyright: ignore[reportUnnecessaryIsInstance]
    if is_text and token.startswith(_OLD):
        reason = (
            f"its format {_OLD!r} is that of an older effactor, whose choices were counted in "
            f"another way; this one reads {PREFIX!r}: explore again to get a new token"
        )
        raise BadToken(token, reason)
    if not is_text or not token.startswith(PREFIX):
        raise BadToken(str(token), f"a token starts with {PREFIX!r}")
    text = token[len(PREFIX) :].rstrip()
    damaged = BadToken(token, "it is damaged; copy it whole")
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise damaged from None
    if len(data) < 2 or zlib.crc32(data[:-2]).to_bytes(4, "big")[:2] != data[-2:]:  # noqa: PLR2004
        raise damaged
    reader = _Reader(data[:-2])
    try:
        written = _read(reader, scenario)
    except (IndexError, UnicodeDecodeError, OverflowError):
        raise damaged from None
    if written is None:
        raise BadToken(token, f"it belongs to another scenario than {scenario!r}")
    return written


def _read(reader: _Reader, scenario: str) -> Recording | None:
    delivery, time = divmod(reader.varint(), len(_MODES))
    if reader.fixed(4) != fingerprint(scenario):
        return None
    seed = reader.varint()
    deviations: list[Deviation] = []
    position = -1
    for _ in range(reader.varint()):
        position += reader.varint() + 1
        index = reader.varint()
        deviations.append(Deviation(position, index, reader.fixed(3), reader.fixed(3)))
    faults: list[Taken] = []
    for _ in range(reader.varint()):
        kind, place = RECORDED[reader.varint()], _PLACES[reader.varint()]
        at, events, message, lasting = (reader.varint() for _ in range(4))
        target, detail = reader.text(), reader.text()
        faults.append(Taken(kind, target, place, at, events, message, detail, lasting - 1))
    script = Script(tuple(deviations), tuple(faults))
    return Recording(scenario, seed, _MODES[time], script, ORDERS[delivery])


def _varint(data: bytearray, number: int) -> None:
    """Append *number*, at least 0, seven bits a byte, lowest first."""
    while number > 0x7F:  # noqa: PLR2004 - seven bits
        data.append(number & 0x7F | 0x80)
        number >>= 7
    data.append(number)


class _Reader:
    """Reads what a token was made of; IndexError where it ends too early."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def varint(self) -> int:
        number = shift = 0
        while True:
            byte = self._data[self._at]
            self._at += 1
            number |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:  # noqa: PLR2004 - the continuation bit
                return number

    def fixed(self, size: int) -> int:
        part = self._take(size)
        return int.from_bytes(part, "big")

    def text(self) -> str:
        return self._take(self.varint()).decode()

    def _take(self, size: int) -> bytes:
        part = self._data[self._at : self._at + size]
        if len(part) < size:
            raise IndexError
        self._at += size
        return part
