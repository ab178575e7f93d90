"""Sessions of pytest inside the tests: whether they must name effactor's plugin."""

from __future__ import annotations

from importlib.metadata import entry_points

MODULE = "effactor_interpreters.testing.plugin"


def plugin_options() -> tuple[str, ...]:
    """Name the plugin where effactor was installed before it had the entry point."""
    known = any(entry.value == MODULE for entry in entry_points(group="pytest11"))
    return () if known else ("-p", MODULE)
