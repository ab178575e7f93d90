"""What may stand behind a name that is run, drawn or simulated.

* A program: it is run.
* A function that makes one. Its parameters say what it wants, by name: `system`, the
  `ActorSystem`; `lines`, the lines of the input. Others need defaults.
* The function may be `async def`, and do all itself; what it returns is the answer.
* It may be a generator, async or not: then each thing it yields is an outcome, which
  is counted. An outcome is a label, such as "sold", or a pair of a label and a note,
  such as ("malformed", 'line 212: "quantity" missing').
"""

from __future__ import annotations

import inspect
from contextlib import aclosing, closing
from typing import TYPE_CHECKING, Any, Final, cast

from effactor.programs.structure import is_program
from effactor_interpreters.command_line.wrong_input import WrongInput

if TYPE_CHECKING:
    from collections.abc import Callable

    from effactor import ActorSystem, Program
    from effactor_interpreters.command_line.input import Lines
    from effactor_interpreters.command_line.targets import Target

_KNOWN: Final = frozenset({"system", "lines"})
_VARIADIC: Final = frozenset({inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD})


def check_runnable(target: Target, lines: Lines | None) -> None:
    """Refuse what cannot be run, before anything is started.

    Args:
        target: What the user named.
        lines: The input, or None.

    Raises:
        WrongInput: If it is neither program nor function, needs what a run does not
            have, or does not read the input that it is given.
    """
    wanted = _wanted(target)
    if lines is None and wanted.get("lines"):
        msg = f"{target.text} reads lines; give them with --input FILE"
        raise WrongInput(msg)
    if lines is not None and "lines" not in wanted:
        msg = f"{target.text} reads no input; leave out --input, or give it a parameter 'lines'"
        raise WrongInput(msg)


def program_of(target: Target) -> Program[Any, Any, Any]:
    """Return the program that a target is, or makes without arguments.

    Args:
        target: What the user named.

    Returns:
        The program.

    Raises:
        WrongInput: If it is neither.
    """
    advice = "name a program, or a function without arguments that makes one"
    if any(_wanted(target).values()):
        msg = f"{target.text} needs a system to run in, and a dry run has none; {advice}"
        raise WrongInput(msg)
    made: Any = target.value
    if not is_program(made):
        made = made()
    if not is_program(made):
        if inspect.iscoroutine(made):
            made.close()
        msg = f"{target.text} makes {_kind(made)} and no program; {advice}"
        raise WrongInput(msg)
    return made


def check_scenario(target: Target) -> None:
    """Refuse what cannot be simulated.

    Args:
        target: What the user named.

    Raises:
        WrongInput: If it is neither a program nor a function of one argument.
    """
    advice = "a scenario is a function of the simulation, def scenario(sim), or a program"
    function = target.value
    if is_program(function):
        return
    if not inspect.isroutine(function):
        msg = f"{target.text} is {_kind(function)} and no scenario; {advice}"
        raise WrongInput(msg)
    signature = inspect.signature(function)
    try:
        signature.bind(None)
    except TypeError:
        msg = f"{target.text}{signature} is no scenario; {advice}"
        raise WrongInput(msg) from None
    if hasattr(function, "__effactor_program__"):
        msg = f"{target.text} makes a program and is none itself; {advice}"
        raise WrongInput(msg)


def _wanted(target: Target) -> dict[str, bool]:
    """Say which of `system` and `lines` a function has, and whether each is required."""
    function = target.value
    if is_program(function):
        return {}
    if isinstance(function, type) or not callable(function):
        msg = (
            f"{target.text} is {_kind(function)}, nothing to run; "
            "name a program, or a function that makes one"
        )
        raise WrongInput(msg)
    wanted: dict[str, bool] = {}
    foreign: list[str] = []
    for name, parameter in inspect.signature(function).parameters.items():
        required = parameter.default is parameter.empty and parameter.kind not in _VARIADIC
        if name in _KNOWN and parameter.kind is not parameter.POSITIONAL_ONLY:
            wanted[name] = required
        elif required:
            foreign.append(repr(name))
    if foreign:
        msg = (
            f"{target.text} needs {', '.join(foreign)}; name a function that needs "
            "nothing but 'system' and 'lines'"
        )
        raise WrongInput(msg)
    return wanted


def _kind(value: object) -> str:
    if value is None:
        return "None"
    if isinstance(value, type):
        return f"the class {value.__qualname__}"
    name = type(value).__qualname__
    return f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"


async def perform(
    target: Target,
    system: ActorSystem,
    lines: Lines | None,
    count: Callable[[str, str], None],
) -> Any:
    """Run a target that `check_runnable` has passed.

    Args:
        target: What the user named.
        system: The system.
        lines: The input, or None.
        count: Called with the label and the note of each outcome.

    Returns:
        The answer; None if there were outcomes.
    """
    made: Any = target.value
    if not is_program(made):
        available = {"system": system, "lines": lines}
        made = made(**{n: available[n] for n in _wanted(target) if available[n] is not None})
    if inspect.iscoroutine(made):
        made = await made
    if is_program(made):
        return await system.run_free(made)
    if inspect.isasyncgen(made):
        async with aclosing(made):
            async for outcome in made:
                count(*_labelled(outcome))
        return None
    if inspect.isgenerator(made):
        with closing(made):
            for outcome in made:
                count(*_labelled(outcome))
        return None
    return made


def _labelled(outcome: Any) -> tuple[str, str]:
    if isinstance(outcome, tuple):
        label, note = cast("tuple[object, object]", outcome)
        return str(label), str(note)
    return str(outcome), ""
