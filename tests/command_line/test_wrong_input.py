"""Wrong input gets one line on stderr and exit status 2, never a traceback."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from shell import Shell

STALL = """
    from effactor import free_sleep, program

    STOCK = {"tea": 1}


    class Inventory:
        sold = free_sleep(1)


    @program
    def checkout(shop, order):
        yield from free_sleep(1)


    @program
    def nap():
        yield from free_sleep(1)


    def per_line(lines):
        yield from lines


    async def with_system(system):
        return 1


    def scenario(sim):
        pass


    def two(sim, other):
        pass
"""


@pytest.fixture(autouse=True)
def files(shell: Shell) -> None:
    shell.write("stall.py", STALL)
    shell.write("orders.jsonl", "{}\n")
    shell.write("broken.py", "x = 1\ndef f(:\n")
    shell.write("raising.py", 'import json\n\nx = json.loads("{")\n')
    shell.write("needing.py", "import raising\n")
    shell.write("lacking.py", "import no_such_thing\n")
    shell.write("leaving.py", 'raise SystemExit("bye\\nbye")\n')
    (shell.folder / "latin.txt").write_bytes(b"tea\ncaf\xe9\n")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        # names
        ("run", "effactor run: missing argument 'MODULE:NAME' (see effactor run --help)"),
        ("run stall", "effactor: 'stall' is no MODULE:NAME, such as shop:checkout"),
        ("run stall:", "effactor: 'stall:' is no MODULE:NAME, such as shop:checkout"),
        ("run ./stall.py:nap", "effactor: ./stall.py is a file; name its module: stall:nap"),
        ("run my-shop:x", "effactor: 'my-shop:x' is no MODULE:NAME: 'my-shop' cannot be the na"),
        ("run stlal:nap", "effactor: there is no module 'stlal' in "),
        ("run stall.till:nap", "effactor: there is no module 'stall.till' in "),
        ("run stall:chekout", "effactor: stall has no 'chekout'; did you mean 'checkout'?"),
        ("run stall:zzz", "effactor: stall has no 'zzz'"),
        (
            "run stall:Inventory.sodl",
            "effactor: stall.Inventory has no 'sodl'; did you mean 'sold'?",
        ),
        # modules that cannot be imported
        ("run broken:x", "effactor: cannot import broken: SyntaxError: "),
        ("run raising:x", "effactor: cannot import raising: JSONDecodeError: Expecting "),
        (
            "run lacking:x",
            "effactor: cannot import lacking: ModuleNotFoundError: No module named 'no_such_th",
        ),
        ("run leaving:x", "effactor: cannot import leaving: SystemExit: bye (leaving.py, line 1)"),
        # what cannot be run
        ("run stall:STOCK", "effactor: stall:STOCK is a dict, nothing to run; name a program, "),
        (
            "run stall:Inventory",
            "effactor: stall:Inventory is the class Inventory, nothing to",
        ),
        ("run stall:checkout", "effactor: stall:checkout needs 'shop', 'order'; name a function "),
        ("run stall:per_line", "effactor: stall:per_line reads lines; give them with --input FILE"),
        # input
        (
            "run stall:per_line --input order.jsonl",
            "effactor: there is no file order.jsonl; did you mean 'orders.jsonl'?",
        ),
        ("run stall:per_line --input no/such", "effactor: there is no file no/such"),
        ("run stall:per_line --input .", "effactor: cannot read .: Is a directory"),
        ("run stall:per_line --input latin.txt", "effactor: latin.txt, line 2: not UTF-8 (byte 4)"),
        ("run stall:nap --input orders.jsonl", "effactor: stall:nap reads no input; leave out "),
        # scenarios
        ("simulate stall:STOCK", "effactor: stall:STOCK is a dict and no scenario; a scenario is "),
        ("simulate stall:Inventory", "effactor: stall:Inventory is the class Inventory and no sce"),
        ("simulate stall:two", "effactor: stall:two(sim, other) is no scenario; a scenario is a "),
        ("simulate stall:nap", "effactor: stall:nap() is no scenario; a scenario is a function of"),
        ("simulate stall:scenari", "effactor: stall has no 'scenari'; did you mean 'scenario'?"),
        ("simulate stall:scenario --schedules 0", "effactor simulate: invalid value for '--sched"),
        ("simulate stall:scenario --schedules few", "effactor simulate: invalid value for '--sch"),
        ("simulate stall:scenario --seed -1", "effactor simulate: invalid value for '--seed': -1 "),
        ("simulate stall:scenario --strategy luck", "effactor simulate: invalid value for '--str"),
        ("simulate stall:scenario --time now", "effactor simulate: invalid value for '--time': "),
        # tokens
        ("replay stall:scenario", "effactor replay: missing argument 'TOKEN' (see effactor repla"),
        ("replay stall:scenario tea", "effactor: bad token 'tea': a token starts with 'ef2:'"),
        ("replay stall:scenario ef2:A", "effactor: bad token 'ef2:A': it is damaged; copy it who"),
        (
            "replay stall:scenario ef2:AGOLpgMDAQECGis8TV5vALOP",
            "effactor: bad token 'ef2:AGOLpgMDAQECGis8TV5vALOP': it bel",
        ),
        # dry runs
        ("dry-run stall:with_system", "effactor: stall:with_system needs a system to run in, and "),
        ("dry-run stall:nap --format svg", "effactor dry-run: invalid value for '--format': 'svg"),
        # commands and options
        ("simulat stall:scenario", "effactor: no such command 'simulat'"),
        ("run stall:nap --inptu orders.jsonl", "effactor run: no such option '--inptu'"),
        ("run stall:nap twice", "effactor run: got unexpected extra argument (twice)"),
    ],
)
def test_wrong_input_gets_one_line_and_exit_status_2(
    shell: Shell, arguments: str, line: str
) -> None:
    result = shell.effactor(*arguments.split())
    assert result.err.startswith(line)
    assert (result.status, result.out) == (2, "")
    assert result.err.count("\n") == 1


def test_the_nearest_module_in_the_folder_is_suggested(shell: Shell) -> None:
    result = shell.effactor("run", "stlal:nap")
    assert result.err.endswith(" or where Python looks; did you mean 'stall'?\n")


def test_an_import_that_fails_further_down_names_the_line_that_raised(shell: Shell) -> None:
    result = shell.effactor("run", "needing:x")
    assert result.err.startswith("effactor: cannot import needing: JSONDecodeError: ")
    assert result.err.endswith(" (raising.py, line 3)\n")
