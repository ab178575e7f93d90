"""The border of the simulated world: what crosses it is made virtual, or refused.

Clocks and entropy of the standard library are virtual while a simulation runs;
sockets, threads, processes and executors raise `EscapedEffect` at the call site.
Everything is patched once for a whole campaign and put back afterwards; other
threads, and code outside of a running simulation, get the originals. A name that a module
has imported by itself, as in `from time import time`, is replaced too (`patches`).
"""

from __future__ import annotations

import _thread
import concurrent.futures
import multiprocessing.process
import os
import random
import socket
import subprocess
import sys
import sysconfig
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from effactor import errors
from effactor.errors import EscapedEffect
from effactor_interpreters.simulation import clocks, entropy
from effactor_interpreters.simulation.active import current_world, enter, latest_world, leave
from effactor_interpreters.simulation.patches import Patches

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from effactor_interpreters.simulation.world import SimulatedWorld

_STDLIB: Final = sysconfig.get_paths()["stdlib"]
_FRESH: Final = 624
_SOCKET_METHODS: Final = (
    *("connect", "connect_ex", "bind", "listen", "accept"),
    *("send", "sendall", "sendto", "sendmsg", "recv", "recvfrom", "recvmsg"),
    *("recv_into", "recvfrom_into", "recvmsg_into", "sendfile"),
)
_PROCESSES: Final = (
    *("system", "fork", "forkpty", "posix_spawn", "posix_spawnp"),
    *("execv", "execve"),
)
_NAME_SERVICE: Final = (
    *("getaddrinfo", "gethostbyname", "gethostbyname_ex"),
    *("gethostbyaddr", "getnameinfo", "getfqdn"),
)
_CORE: Final = str(Path(errors.__file__).parent) + os.sep
_OURS: Final = str(Path(__file__).parents[1]) + os.sep


def is_machinery(file: str) -> bool:
    """Tell whether a source file is the standard library's or effactor's own.

    Args:
        file: A file name, as frames have it.

    Returns:
        False for the user's code, and for what the user has installed.
    """
    if file.startswith((_OURS, _CORE)):
        return True
    return file.startswith((_STDLIB, "<frozen")) and "site-packages" not in file


def call_site() -> str:
    """Find the line of user code that is being executed.

    Returns:
        File and line, such as `shop.py:41`.
    """
    frame = sys._getframe(1)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    while frame.f_back is not None:
        if not is_machinery(frame.f_code.co_filename):
            break
        frame = frame.f_back
    return f"{os.path.basename(frame.f_code.co_filename)}:{frame.f_lineno}"  # noqa: PTH119


def escape(call: str, advice: str = "") -> EscapedEffect:
    """Make the error for a call that leaves the simulation, and note it in the world.

    The note makes the run fail even if the handler swallows the exception.

    Args:
        call: What was called.
        advice: What to do instead; empty for the usual.

    Returns:
        The error to raise.
    """
    error = EscapedEffect(call, call_site(), advice)
    world = latest_world()
    if world is not None:
        world.escaped = world.escaped or error
    return error


@contextmanager
def inside(world: SimulatedWorld) -> Generator[None]:
    """Make *world* the one that patched functions ask, for one run."""
    outer = enter(world)
    entropy.forget()
    state = random.getstate()
    random.seed(f"{world.seed}:module")
    try:
        yield
    finally:
        # A freshly seeded generator has used up all of its block of 624 numbers.
        world.drew_from_module = random.getstate()[1][-1] != _FRESH
        random.setstate(state)
        leave(outer)


def _refused(real: Callable[..., Any], call: str, advice: str = "") -> Any:
    def refuse(*args: Any, **kwargs: Any) -> Any:
        if current_world() is None:
            return real(*args, **kwargs)
        raise escape(call, advice)

    return refuse


_installed: list[Patches] = []


# One campaign at a time: they patch, and seed, what is the process's.
_campaigns = threading.RLock()


@contextmanager
def guarded() -> Generator[None]:
    """Patch the standard library for a campaign; nested campaigns share the patches.

    A campaign in another thread waits for this one to end.
    """
    with _campaigns:
        yield from _guarded()


def _guarded() -> Generator[None]:
    if _installed:
        yield
        return
    patches = Patches()
    _install(patches)
    _installed.append(patches)
    try:
        yield
    finally:
        _installed.pop()
        patches.undo()


def _install(patches: Patches) -> None:
    clocks.install(patches)
    entropy.install(patches)
    for name in _SOCKET_METHODS:
        real = getattr(socket.socket, name)
        patches.put(socket.socket, name, _refused(real, f"socket.{name}"))
    for name in _NAME_SERVICE:
        patches.put(socket, name, _refused(getattr(socket, name), f"socket.{name}"))
    patches.put(
        multiprocessing.process.BaseProcess,
        "start",
        _refused(multiprocessing.process.BaseProcess.start, "Process.start"),
    )
    start_new_thread = _refused(_thread.start_new_thread, "start_new_thread")
    patches.put(_thread, "start_new_thread", start_new_thread)
    patches.put(threading.Thread, "start", _refused(threading.Thread.start, "Thread.start"))
    for executor in (
        concurrent.futures.ThreadPoolExecutor,
        concurrent.futures.ProcessPoolExecutor,
    ):
        call = f"{executor.__name__}.submit"
        patches.put(executor, "submit", _refused(executor.submit, call))
    patches.put(
        subprocess.Popen, "__init__", _refused(subprocess.Popen.__init__, "subprocess.Popen")
    )
    for name in _PROCESSES:
        if hasattr(os, name):
            patches.put(os, name, _refused(getattr(os, name), f"os.{name}"))
    patches.put_names(is_machinery)
