"""A group of commands that are imported when they are run: a command pays for what it uses, and for no other.

A group has a table of what it can load; it names and describes its commands without importing them::

    class _Commands(LazyGroup):
        table = {"check": Entry("infra.cli.checking:check", "Check chain, seals, …", panel="Ask")}

    app = typer.Typer(cls=_Commands)

What is registered with the ``Typer`` in the usual way is there as well.  ``commands`` of the group loads a command when
it is looked at; completion and the help of the group read the table alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from importlib import import_module
from typing import Any, ClassVar, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_group


class Entry(NamedTuple):
    """Where a command or a group of commands is, and what the help of the group above says of it."""

    place: str
    """``module:attribute``, of a function or of a ``Typer``."""
    help: str
    """The first paragraph of its own help, in one line."""
    panel: str | None = None
    """Under which heading it stands."""
    beside: tuple[str, ...] = ()
    """Modules that add commands of theirs to the group; imported with it."""


class LazyGroup(TyperGroup):
    """A group that imports a command of its table when it is run, or taken from ``commands``."""

    table: ClassVar[Mapping[str, Entry]] = {}

    def __init__(self, *, commands: Any = None, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = _Commands(commands or {}, self.table)

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002, D102 - click's
        return list(self.commands)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """What describes the command; of one that was not loaded yet, its row of the table."""
        entry = self.table.get(cmd_name)
        if entry is None:
            return super().get_command(ctx, cmd_name)
        return TyperCommand(cmd_name, help=entry.help, rich_help_panel=entry.panel)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """As click's, but with the command itself: it is about to run, to show its help, or to be completed."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, self.commands[name] if name is not None else command, rest


class _Commands(MutableMapping[str, Any]):
    """Commands by name. Those of the table are imported when they are looked at, and kept."""

    def __init__(self, made: Mapping[str, Any], table: Mapping[str, Entry]) -> None:
        self._made = dict(made)
        self._table = table

    def __getitem__(self, name: str) -> Any:
        if name not in self._made and name in self._table:
            self._made[name] = _load(name, self._table[name])
        return self._made[name]

    def __setitem__(self, name: str, command: Any) -> None:
        self._made[name] = command

    def __delitem__(self, name: str) -> None:
        del self._made[name]

    def __iter__(self) -> Iterator[str]:
        yield from self._table
        yield from (name for name in self._made if name not in self._table)

    def __len__(self) -> int:
        return len(self._table.keys() | self._made.keys())


def _load(name: str, entry: Entry) -> Any:
    module, _, attribute = entry.place.partition(":")
    for beside in entry.beside:
        import_module(beside)
    found = getattr(import_module(module), attribute)
    around = typer.Typer()  # typer makes a command as part of an application
    if isinstance(found, typer.Typer):
        around.add_typer(found, name=name, rich_help_panel=entry.panel)
    else:
        around.command(name, rich_help_panel=entry.panel)(found)
    return get_group(around).commands[name]
