"""Long tests say how far they have come."""

from __future__ import annotations

from effactor_interpreters.testing.progress import Progress


class Terminal:
    def __init__(self) -> None:
        self.written: list[str] = []
        self.now = 100.0

    def progress(self, *, live: bool) -> Progress:
        return Progress(self.written.append, "test_x", 5000, live=live, clock=lambda: self.now)


def test_a_short_test_says_nothing() -> None:
    terminal = Terminal()
    progress = terminal.progress(live=True)
    terminal.now += 2.9
    progress(4000, 40_000)
    progress.end()
    assert terminal.written == []


def test_a_long_one_says_how_far_and_how_fast_in_one_line() -> None:
    terminal = Terminal()
    progress = terminal.progress(live=True)
    terminal.now += 4
    progress(1000, 10_000)
    terminal.now += 0.4
    progress(1100, 11_000)
    terminal.now += 0.1
    progress(1200, 12_000)
    progress.end()
    assert terminal.written == [
        "\rtest_x: 1,000 of 5,000 schedules, 250/s",
        "\rtest_x: 1,200 of 5,000 schedules, 267/s",
        "\r" + " " * 39 + "\r",
    ]


def test_a_file_gets_a_line_of_its_own_seldom() -> None:
    terminal = Terminal()
    progress = terminal.progress(live=False)
    for _ in range(14):
        terminal.now += 1
        progress(100, 1000)
    progress.end()
    assert [line.count("\n") for line in terminal.written] == [2, 1]
