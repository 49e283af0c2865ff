"""Say which files of the bot others on this machine can read or change.

A ``.env`` and a ledger are the bot's own user's; a policy may be read by a group, because a container's user is often another
than whoever writes it. Who can write a policy can grant themselves a stop.
"""

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bot.activeflows.health import Finding, State
from bot.ledger.database import parsed_url
from bot.settings import Settings

ABOUT: Final = "files"


def exposed(settings: Settings) -> list[str]:
    """One sentence each; empty when none is."""
    return [f"{path.name}: {words}" for path, words in _looked_at(settings) if words]


async def look(settings: Settings) -> Finding:
    """The same as a finding."""
    found = exposed(settings)
    if not found:
        return Finding(ABOUT, State.OK, "nobody else can read what is the bot's own")
    return Finding(
        ABOUT, State.WARNING, " ".join(found), "Take it away from others; who could read a secret may have it."
    )


def _looked_at(settings: Settings) -> Iterator[tuple[Path, str]]:
    private, shared = stat.S_IRWXG | stat.S_IRWXO, stat.S_IWGRP | stat.S_IRWXO
    own = Path(str(settings.model_config.get("env_file") or ".env"))
    yield own, _who(own, private, "chmod 600")
    if settings.flows_bot_policy is not None:
        yield settings.flows_bot_policy, _who(settings.flows_bot_policy, shared, "chmod 640, with the bot's group")
    url = parsed_url(settings.flows_bot_database_url.get_secret_value())
    if url.get_backend_name() == "sqlite" and url.database:
        ledger = Path(url.database)
        yield ledger, _who(ledger, private, "chmod 600")


def _who(path: Path, kept: int, then: str) -> str:
    """What others can do to it that is not to be theirs; empty for what is not there."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return ""
    if not stat.S_ISREG(mode) or not mode & kept:
        return ""
    can = "read and change" if mode & kept & (stat.S_IWGRP | stat.S_IWOTH) else "read"
    return f"others on this machine can {can} it ({then})."
