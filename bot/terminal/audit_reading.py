"""Read the audit for ``flows-bot audit verify | export | prune``. Apart from ``audit``, so that the other commands
answer sooner.
"""

import os
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr
from sqlalchemy.exc import SQLAlchemyError

from bot import logs
from bot.activeflows.errors import LedgerUnavailable
from bot.activeflows.model import from_typed
from bot.activeflows.records import Head
from bot.ledger import audit, audit_archive
from bot.ledger.audit_archive import csv_lines, header, json_lines
from bot.ledger.database import Database
from bot.ledger.tables import VERSION, version
from bot.misconfigured import Misconfigured
from bot.settings import Settings, SomeSettings, from_environment

_AT_ONCE: Final = 5000
"""Records read at once for an export."""


async def verify(words: Sequence[str], heads: Path | None) -> bool:
    """Print what is wrong with the chain; whether nothing is. Raises ``Misconfigured``."""
    known = [*(_head(word) for word in words), *(_heads_in(heads) if heads else ())]
    async with _ledger() as database:
        report = await database.reading(audit.proof)
        own = await database.reading(audit.kept)
        asked = [*known, *(head for head in own if head not in known)]
        whys = await database.reading(lambda connection: [audit.missing(connection, head) for head in asked])
        found = await database.reading(lambda connection: [audit.standing(connection, h) for h in asked])
    for flaw in report.flaws:
        print(f"record {flaw.seq}: {flaw.why}")
    for head, why, so in zip(asked, whys, found, strict=True):
        if why or head in known:  # its own are worth no word while all is well
            print(f"head {head}: {why or so}")
    if report.cut is not None:
        print(report.cut)
    print(f"{report.count} records, {len(report.flaws)} flaws, newest receipt {report.newest or 'none'}")
    return not report.flaws and not any(whys)


async def export(form: str, since: str, until: str) -> None:
    """Print the records of that time. Raises ``Misconfigured``."""
    now = datetime.now(UTC)
    begin, end = (instant(word, now, option=name) for name, word in (("--since", since), ("--until", until)))
    async with _ledger() as database:
        last = 0
        if form == "csv":
            print(header(), end="")
        # Piece by piece, so that a million records need no more memory than some, and whoever reads slowly holds no
        # transaction.
        while rows := await database.reading(partial(audit.piece, after=last, most=_AT_ONCE)):
            last = rows[-1]["seq"]
            for line in (csv_lines if form == "csv" else json_lines)(_between(rows, begin, end)):
                print(line, end="")


async def prune(word: str) -> None:
    """Cut off what is older. Raises ``Misconfigured``."""
    now = datetime.now(UTC)
    before = instant(word, now, option="--before")
    if before is None:
        raise Misconfigured("--before: a date like 2026-08-20.")
    async with _ledger() as database:
        there = await database.reading(version)
        if there != VERSION:
            raise Misconfigured(
                f"FLOWS_BOT_DATABASE_URL: the ledger is at version {there}, and this program knows {VERSION}. "
                "Nothing was cut off: start the bot of this version first, or use the program of that one."
            )
        written = await audit_archive.prune(database, before, who=audit_archive.BY_HAND, now=now)
        cut = await database.reading(audit.last_cut)
    if written is None:
        print("nothing was cut off: no record is that old")
    else:
        print(f"{cut}, receipt {written.receipt}")


def instant(word: str, now: datetime, *, option: str) -> datetime | None:
    """Return the instant a word means; ``None`` for no word. Raises ``Misconfigured``."""
    if not word:
        return None
    ago = from_typed(word)
    try:
        at = now - ago if ago is not None else datetime.fromisoformat(word)
    except (ValueError, OverflowError):
        raise Misconfigured(f"{option}: a date like 2026-08-20, a time like 2026-08-20T03:00, or 2h.") from None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


def _between(
    rows: list[Mapping[str, Any]], since: datetime | None, until: datetime | None
) -> Iterator[Mapping[str, Any]]:
    for row in rows:
        at = datetime.fromisoformat(row["at"])
        if (since is None or at >= since) and (until is None or at < until):
            yield row


def _head(word: str) -> Head:
    found = list(audit.written(word))
    if len(found) != 1 or str(found[0]) != word:
        raise Misconfigured("--head: a record's number and its hash, as the bot told them: 12:0f3c2a9b1d….")
    return found[0]


def _heads_in(path: Path) -> list[Head]:
    try:
        found = list(dict.fromkeys(audit.written(path.read_text(encoding="utf-8", errors="replace"))))
    except OSError as trouble:
        raise Misconfigured(f"--heads: that file cannot be read ({type(trouble).__name__}).") from None
    if not found:
        raise Misconfigured("--heads: there is no head in that file.")
    return found


class _Database(SomeSettings):
    """The one setting that reading the audit needs."""

    flows_bot_database_url: SecretStr = Settings.model_fields["flows_bot_database_url"].default
    flows_bot_database_url_file: Path | None = None


@asynccontextmanager
async def _ledger() -> AsyncIterator[Database]:
    """Open the ledger as it is: nothing is created, and a missing one is said."""
    logs.configure("console", "CRITICAL")  # what is wrong is said once, below
    url = from_environment(_Database).flows_bot_database_url.get_secret_value()
    if url.startswith("sqlite:///") and not os.path.exists(url.removeprefix("sqlite:///")):  # noqa: ASYNC240, PTH110 # before anything else runs
        raise Misconfigured(
            "FLOWS_BOT_DATABASE_URL: there is no ledger there; unset, it is flows-bot.db in this folder."
        )
    try:
        database = Database(url)
    except (SQLAlchemyError, ImportError):  # for other databases the driver is missing
        raise Misconfigured("FLOWS_BOT_DATABASE_URL: begins with sqlite:/// or postgresql://.") from None
    try:
        yield database
    except LedgerUnavailable:
        raise Misconfigured("FLOWS_BOT_DATABASE_URL: that database cannot be read, or has no ledger in it.") from None
    finally:
        await database.close()
