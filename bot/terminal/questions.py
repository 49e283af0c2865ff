"""Ask on the terminal: a line, a secret that is not shown, and which of what Slack lists."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from getpass import getpass
from pathlib import Path
from typing import Final

from bot.misconfigured import Misconfigured
from bot.slack.directory import Listing, Named

_AT_ONCE: Final = 30
"""So many are listed without being asked for."""


@dataclass(frozen=True, slots=True)
class Secret:
    """What was typed, or the file that holds it."""

    name: str
    value: str = field(repr=False)
    file: Path | None = None

    @property
    def line(self) -> tuple[str, str]:
        """As a variable; what stands in a file stays there."""
        return (f"{self.name}_FILE", str(self.file)) if self.file else (self.name, self.value)


def line(question: str) -> str:
    return input(f"{question}: ").strip()


def secret(name: str, file: Path | None, question: str, trouble: Callable[[str], str]) -> Secret:
    """``trouble`` says why it is of no use, ``""``: it is. Raises ``Misconfigured`` about a file."""
    if file is not None:
        found = Secret(name, _read(name, file), file.resolve())
        why = trouble(found.value)
        if why:
            raise Misconfigured(f"{_option(name)}: {why}")
        return found
    while True:
        value = getpass(f"{question} (not shown): ").strip()
        why = trouble(value)
        if not why:
            return Secret(name, value)
        print(f"No: {why}")


def chosen(option: str, words: Sequence[str], question: str, listing: Listing, form: str) -> list[Named]:
    """Those that were meant: of the list, or an id of that form. Raises ``Misconfigured`` about the option's words."""
    if words:
        found, wrong = _understood(words, listing.found, form)
        if wrong:
            raise Misconfigured(*(f"{option}: {_why(word, some)}" for word, some in wrong))
        return found
    print(f"\n{question}")
    for sentence in listing.missing:
        print(f"  {sentence}")
    _list(listing.found if len(listing.found) <= _AT_ONCE else ())
    while True:
        words = [
            word for word in re.split(r"\s*,\s*", line("Names or ids, with commas; a part of a name lists")) if word
        ]
        found, wrong = _understood(words, listing.found, form)
        for word, some in wrong:
            print(f"  {_why(word, some)}")
            _list(some)
        if found and not wrong:
            print(f"  → {', '.join(f'{one.name} ({one.id})' if one.name else one.id for one in found)}")
            return found


def _understood(
    words: Sequence[str], listed: Sequence[Named], form: str
) -> tuple[list[Named], list[tuple[str, list[Named]]]]:
    found: dict[str, Named] = {}
    wrong: list[tuple[str, list[Named]]] = []
    for word in words:
        said = word.casefold()
        meant = [one for one in listed if word == one.id or said.lstrip("#@") == one.name.casefold().lstrip("#@")]
        if len(meant) == 1:
            found[meant[0].id] = meant[0]
        elif not meant and re.fullmatch(form, word):
            found[word] = Named(word, "")
        else:
            part = said.lstrip("#@")
            wrong.append((word, meant or [one for one in listed if part in f"{one.name} {one.about}".casefold()]))
    return list(found.values()), wrong


def _why(word: str, some: Sequence[Named]) -> str:
    if not some:
        return f"nothing is called {word!r}."
    ids = ", ".join(f"{one.id} {one.name}" for one in some[:3])
    return f"{word!r} could be {ids}{' …' if len(some) > 3 else ''}: say which."


def _list(some: Sequence[Named]) -> None:
    for one in some[:_AT_ONCE]:
        print(f"  {one.id:<12} {one.name}{f' ({one.about})' if one.about else ''}")
    if len(some) > _AT_ONCE:
        print(f"  … and {len(some) - _AT_ONCE} more")


def _read(name: str, file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as trouble:
        raise Misconfigured(f"{_option(name)}: cannot be read ({type(trouble).__name__}).") from None


def _option(name: str) -> str:
    return f"--{name.lower().replace('_', '-')}-file"
