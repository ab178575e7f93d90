"""The names of virtual actors: a class and an id."""

from __future__ import annotations

from typing import Any, NamedTuple

from typing_extensions import override

from effactor.actors.actor import Actor

_ROOT = "/virtual/"


class VirtualId(NamedTuple):
    """What names a virtual actor: a value, and a tuple of its two parts.

    Attributes:
        kind: The class, with its module: `shop.carts.Cart`.
        id: The id, as it was given.
    """

    kind: str
    id: str

    @classmethod
    def of(cls, actor: type[Actor[Any]], id: str) -> VirtualId:  # noqa: A002 - the field's word
        """Name the virtual actor of a class and an id.

        Args:
            actor: The class.
            id: The id: any text but the empty one.

        Returns:
            Its name.

        Raises:
            TypeError: If *actor* is no class of actors, or *id* no text.
            ValueError: If *id* is empty.
        """
        return name_of("VirtualId.of", actor, id)

    @classmethod
    def at(cls, path: str) -> VirtualId:
        """Read the name of a virtual actor from its path, such as `self.context.self_ref.path`.

        Args:
            path: The path within the system.

        Returns:
            Its name.

        Raises:
            ValueError: If it is not the path of a virtual actor.
        """
        kind, slash, name = path.removeprefix(_ROOT).partition("/")
        if not (path.startswith(_ROOT) and kind and slash and name) or "/" in name:
            msg = f"VirtualId.at: a virtual actor's path looks like /virtual/<class>/<id>: {path!r}"
            raise ValueError(msg)
        return cls(kind, name.replace("%2F", "/").replace("%25", "%"))

    @classmethod
    def from_key(cls, key: str) -> VirtualId | None:
        """Read a name from the key that a `RegistryStore` keeps.

        Args:
            key: The key.

        Returns:
            The name; None if the key is something else's.
        """
        kind, _, id_ = key.partition("/")
        return cls(kind, id_) if kind and id_ else None

    @property
    def key(self) -> str:
        """The text that a `RegistryStore` keeps: `shop.carts.Cart/c-17`."""
        # No class has a slash in its name, so the first one ends it.
        return f"{self.kind}/{self.id}"

    @property
    def path(self) -> str:
        """The path within the system, such as `/virtual/shop.carts.Cart/c-17`.

        A path's last segment has no slash: there, an id's `%` and `/` are `%25` and `%2F`.
        """
        return f"{_ROOT}{self.kind}/{self.id.replace('%', '%25').replace('/', '%2F')}"

    @override
    def __str__(self) -> str:
        return self.key


def name_of(where: str, actor: Any, id_: Any) -> VirtualId:
    """Check a class and an id, and make their name.

    Args:
        where: The function that received them, for errors.
        actor: What should be a class of actors.
        id_: What should be an id.

    Returns:
        The name.

    Raises:
        TypeError: If *actor* is no class of actors, or *id_* no text.
        ValueError: If *id_* is empty.
    """
    if not _is_class(actor):
        msg = f"{where}: cls must be a class of actors, whose name finds it again, got {actor!r}"
        raise TypeError(msg + _written(actor))
    if not isinstance(id_, str):
        msg = f"{where}: id must be a text, got {id_!r}; write str(...)"
        raise TypeError(msg)
    if not id_:
        msg = f"{where}: id must not be empty"
        raise ValueError(msg)
    return VirtualId(f"{actor.__module__}.{actor.__qualname__}", id_)


def _is_class(given: object) -> bool:
    return isinstance(given, type) and issubclass(given, Actor)


def _written(given: object) -> str:
    kind = type(given)
    return f"; write {kind.__name__}" if hasattr(kind, "on_receive") else ""
