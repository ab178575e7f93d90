"""Schedules: whether to do something once more, and after how long, as values."""

# First of all, whichever module is wanted: the other modules' schedules are of the class
# that `schedule` defines, and its methods make them, so it imports them at its end.
from effactor.schedules import schedule as _schedule  # noqa: F401  # pyright: ignore[reportUnusedImport]
