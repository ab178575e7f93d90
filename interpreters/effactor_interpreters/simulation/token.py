"""Replay tokens: a run in one line of text, proportional to its deviations.

`ef1:` and base64 of: time mode, fingerprint of the scenario's name, seed, and for
each deviation the distance from the previous one and the index, as varints. The
token knows nothing of hash seeds, addresses or source text.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from dataclasses import dataclass
from typing import Final, Literal

from effactor.errors import BadToken

TimeMode = Literal["async", "latency"]

PREFIX: Final = "ef1:"
_MODES: Final[tuple[TimeMode, ...]] = ("async", "latency")


@dataclass(frozen=True, slots=True)
class Recording:
    """What a token says.

    Attributes:
        scenario: Name of the scenario or program.
        seed: Seed of the program's randomness.
        time: When timers may fire.
        deviations: Index taken, by position of the choice.
    """

    scenario: str
    seed: int
    time: TimeMode
    deviations: dict[int, int]

    def encode(self) -> str:
        """Write the token.

        Returns:
            Text such as `ef1:AAECAw`.
        """
        data = bytearray([_MODES.index(self.time)])
        data += fingerprint(self.scenario).to_bytes(4, "big")
        _varint(data, self.seed)
        last = -1
        for position, index in sorted(self.deviations.items()):
            _varint(data, position - last - 1)
            _varint(data, index)
            last = position
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
    if not is_text or not token.startswith(PREFIX):
        raise BadToken(str(token), f"a token starts with {PREFIX!r}")
    text = token[len(PREFIX) :].rstrip()
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise BadToken(token, "it is damaged; copy it whole") from None
    if len(data) < 6 or data[0] >= len(_MODES):  # noqa: PLR2004 - mode, fingerprint and a seed
        raise BadToken(token, "it is damaged; copy it whole")
    if int.from_bytes(data[1:5], "big") != fingerprint(scenario):
        raise BadToken(token, f"it belongs to another scenario than {scenario!r}")
    numbers = _varints(token, data[5:])
    seed, rest = numbers[0], numbers[1:]
    if len(rest) % 2:
        raise BadToken(token, "it is damaged; copy it whole")
    deviations: dict[int, int] = {}
    position = -1
    for gap, index in zip(rest[::2], rest[1::2], strict=True):
        position += gap + 1
        deviations[position] = index
    return Recording(scenario, seed, _MODES[data[0]], deviations)


def _varint(data: bytearray, number: int) -> None:
    """Append *number*, at least 0, seven bits a byte, lowest first."""
    while number > 0x7F:  # noqa: PLR2004 - seven bits
        data.append(number & 0x7F | 0x80)
        number >>= 7
    data.append(number)


def _varints(token: str, data: bytes) -> list[int]:
    numbers: list[int] = []
    number, shift = 0, 0
    for byte in data:
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:  # noqa: PLR2004 - the continuation bit
            numbers.append(number)
            number, shift = 0, 0
    if shift or not numbers:
        raise BadToken(token, "it is damaged; copy it whole")
    return numbers
