"""Sphinx configuration. The build needs no network: there is no intersphinx."""

from __future__ import annotations

import collections.abc
import sys
import typing
from importlib.metadata import version as installed_version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from docutils.nodes import Element, TextElement, reference
    from sphinx.addnodes import pending_xref
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

project = "effactor"
author = "the effactor authors"
version = release = installed_version("effactor")

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinxcontrib.mermaid",
]
# examples/ is code with its own README; the pages quote it.
exclude_patterns = ["_build", "examples"]

html_theme = "furo"
html_title = "effactor"

myst_enable_extensions = ["colon_fence", "deflist"]
# Every heading down to this level can be linked to.
myst_heading_anchors = 3
# GitHub draws ```mermaid fences; Sphinx does too.
myst_fence_as_directive = ["mermaid"]

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
# The signature shows the types; a docstring does not repeat them.
autodoc_typehints = "signature"
# A class whose docstring lists its attributes would else describe them twice.
napoleon_use_ivar = True

nitpicky = True
# What other projects document cannot be linked to without their inventories: names
# given by their module, names that annotations give bare, type variables.
_elsewhere = [*sys.stdlib_module_names, "hypothesis", "returns", "st", "typing_extensions"]
_bare = [
    *(*vars(typing), *vars(collections.abc)),
    *("Executor", "Future", "Maybe", "Path", "Result", "UUID", "datetime", "timedelta"),
]
# Private bases of public classes, and the types of what only interpreters read.
_private = [
    *("Container", "FunctionValue", "Handle", "ResultLikeProgram"),
    *("DeferredRules", "QueueRules", "SemaphoreRules", "Strategies", "Table", "_Stepper"),
]
# What constructors that users never call name, and aliases of literals.
_aliases = [
    *("World", "SimulatedWorld", "TimeMode", "Kind", "Mode", "Unknown", "Outcome", "Partition"),
    *("Items", "Permission", "Where", "Recoverable", "Anchor", "Script", "Conditions"),
    "Retracing",
]
nitpick_ignore_regex = [
    (r"py:.*", rf"({'|'.join(_elsewhere)})(\..+)?"),
    (r"py:.*", rf"({'|'.join(_bare)})"),
    (r"py:(class|obj)", rf"(.*\.)?({'|'.join(_private)})"),
    (r"py:(class|obj)", r"(.*\.)?_?([A-Z]\d?|In)(_co|_contra)?"),
    (r"py:(class|obj)", r"(.*\.)?P\.(args|kwargs)"),
    (r"py:(class|obj)", rf"(.*\.)?({'|'.join(_aliases)})"),
    (r"py:(class|obj)", r"(dict|Mapping)\[.*"),
]

_public_modules = (
    *("effactor", "effactor.interpreters", "effactor.events"),
    *("effactor.testing", "effactor.errors", "effactor.consistency"),
)
# Where the aliases are that signatures show by their bare names.
_modules_of_aliases = tuple(
    f"effactor.actors.{m}" for m in ("envelope", "mailboxes", "supervision")
)


def link_to_public_name(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, contnode: TextElement
) -> Element | reference | None:
    """Link a name given by its private module, or by none, to where it is documented.

    Annotations may name a class by the module that defines it
    (``effactor._program.Program``); the pages document it where users import it.
    """
    if node.get("refdomain") != "py":
        return None
    name = str(node["reftarget"]).rpartition(".")[2]
    python = env.domains.python_domain
    for module in (*_public_modules, *_modules_of_aliases):
        if f"{module}.{name}" in python.objects:
            return python.resolve_xref(
                env,
                str(node["refdoc"]),
                app.builder,
                # Not the role that was asked for: a type alias is data, its users say class.
                "obj",
                f"{module}.{name}",
                node,
                contnode,
            )
    return None


def setup(app: Sphinx) -> None:
    """Register the hook above."""
    app.connect("missing-reference", link_to_public_name)
