"""The error of a user who named something that is not there, or cannot be used."""

from __future__ import annotations

import click

from effactor_interpreters.command_line.exit_status import WRONG_INPUT


class WrongInput(click.ClickException):
    """What the user gave cannot be used; the message says why, in one line."""

    exit_code = WRONG_INPUT
