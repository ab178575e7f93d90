"""`effactor`, as it is started from a shell."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shell import Shell

GREETING = """
    import sys

    from effactor import free_log, pure

    hello = free_log("info", "a greeting").then(pure("hello"))
    print("imported from", sys.path[0] and "here", file=sys.stderr)
"""


def started(shell: Shell, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments]
    return subprocess.run(
        command, cwd=shell.folder, capture_output=True, text=True, check=False, timeout=60
    )


def test_python_m_effactor_runs_a_module_of_the_current_folder(shell: Shell) -> None:
    shell.write("greeting.py", GREETING)
    result = started(shell, "-m", "effactor", "run", "greeting:hello", "--log", "info")
    assert (result.returncode, result.stdout) == (0, "hello\n")
    assert "INFO effactor.program: a greeting" in result.stderr
    quiet = started(shell, "-m", "effactor", "run", "greeting:hello")
    assert "a greeting" not in quiet.stderr
    wrong = started(shell, "-m", "effactor", "run", "greeting:helo")
    assert wrong.returncode == 2


def test_the_console_script_finds_modules_of_the_current_folder(shell: Shell) -> None:
    shell.write("greeting.py", GREETING)
    # As in a console script: sys.path has the script's folder and not the current one.
    script = (
        "import sys; sys.path = [p for p in sys.path if p]; "
        "sys.argv = ['effactor', 'run', 'greeting:hello']; "
        "from effactor.__main__ import main; sys.exit(main())"
    )
    result = started(shell, "-c", script)
    assert (result.returncode, result.stdout) == (0, "hello\n")


def test_without_the_extra_it_says_what_to_install(shell: Shell) -> None:
    for missing in ("click", "rich"):
        script = (
            f"import sys; sys.modules[{missing!r}] = None; "
            "from effactor.__main__ import main; sys.exit(main())"
        )
        result = started(shell, "-c", script)
        assert result.returncode == 2
        assert result.stderr == "effactor: the command line needs: pip install 'effactor[cli]'\n"


def test_ctrl_c_ends_with_130(shell: Shell) -> None:
    shell.write("slow.py", "raise KeyboardInterrupt")
    result = shell.effactor("run", "slow:work")
    assert (result.status, result.out) == (130, "")
    assert result.err.strip() == "effactor: interrupted"


def test_version_and_help(shell: Shell) -> None:
    assert shell.effactor("--version").out == f"effactor {version('effactor')}\n"
    for arguments in ((), ("--help",), ("run", "-h"), ("simulate", "--help")):
        result = shell.effactor(*arguments)
        assert result.status == 0
        assert "effactor run shop:checkout_all" in result.out or "simulate" in result.out


def test_the_help_of_each_command_has_examples(shell: Shell) -> None:
    for command in ("run", "simulate", "replay", "dry-run"):
        result = shell.effactor(command, "--help")
        assert result.status == 0
        assert f"\n  effactor {command} shop:" in result.out
