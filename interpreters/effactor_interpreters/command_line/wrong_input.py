"""The error of a user who named something that is not there."""

from __future__ import annotations

import click


class WrongInput(click.ClickException):
    """What the user gave cannot be used; the message says why, in one line."""

    exit_code = 2
