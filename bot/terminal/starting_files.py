"""Write the first ``.env`` and ``policy.toml``: ids with their names as comments, secrets for the bot's own user only."""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from secrets import token_hex
from typing import Final

from bot.misconfigured import Misconfigured
from bot.policy import parsed_policy
from bot.slack.directory import Named

ENV: Final = Path(".env")
POLICY: Final = Path("policy.toml")
_PLAIN: Final = re.compile(r"[A-Za-z0-9_.~=/:@%+,-]*")
_MODES: Final = {ENV: 0o600, POLICY: 0o640}


def in_the_way() -> list[str]:
    return [f"{path} is there already: --force writes over it." for path in (ENV, POLICY) if os.path.lexists(path)]


def policy_text(channels: Sequence[Named], viewers: Sequence[Named], stoppers: Sequence[Named]) -> str:
    """In these channels some may look, and some stop."""
    parts = ["# Written by `flows-bot init`. What else can be said here: docs/policy.md.\n"]
    for to, may in ((viewers, '["view"]'), (stoppers, '["view", "stop"]')):
        parts.append(f"\n[[grant]]\nto = {_array(to)}\nmay = {may}\nin = {_array(channels)}\n")
    text = "".join(parts)
    parsed_policy(text, name=POLICY.name)
    return text


def env_text(variables: Mapping[str, str]) -> str:
    """Raises ``Misconfigured`` for a value that this file cannot hold."""
    lines = ["# Written by `flows-bot init`. What else can be set here: .env.example."]
    for name, value in variables.items():
        if not _PLAIN.fullmatch(value) and re.search(r"[\\'$\n\r]", value):
            raise Misconfigured(f"{name}: has a sign in it ($, ', \\) that other programs read otherwise in .env.")
        lines.append(f"{name}={value}" if _PLAIN.fullmatch(value) else f"{name}='{value}'")
    return "\n".join(lines) + "\n"


def write(texts: Mapping[Path, str], *, force: bool) -> None:
    """Each whole or not at all. Raises ``Misconfigured``."""
    for path, text in texts.items():
        beside = path.with_name(f".{path.name.lstrip('.')}.{token_hex(4)}")
        try:
            handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODES[path])
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            if force:
                beside.replace(path)
            else:
                path.hardlink_to(beside)  # fails where something is
        except FileExistsError:
            raise Misconfigured(f"{path} is there already: --force writes over it.") from None
        except OSError as trouble:
            raise Misconfigured(f"{path}: cannot be written ({trouble.strerror}).") from None
        finally:
            beside.unlink(missing_ok=True)


def _array(some: Iterable[Named]) -> str:
    lines = [f'    "{one.id}",{f"  # {_words(one)}" if one.name else ""}\n' for one in some]
    return f"[\n{''.join(lines)}]"


def _words(one: Named) -> str:
    return f"{one.name} ({one.about})" if one.about else one.name
