"""Say what a policy says without a mistake, and probably does not mean. ``flows-bot policy check`` prints it."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bot.activeflows.operators import MEMBERS, Permission, Policy
from bot.policy.source_lines import line_of, places


def advice(policy: Policy) -> tuple[str, ...]:
    """Return one line for each oddity; none of them changes what is decided."""
    return (*_useless(policy), *_nobody_else(policy), *_of_no_account(policy))


def _useless(policy: Policy) -> Iterator[str]:
    seers = {name for grant in policy.grants if Permission.VIEW in grant.may for name in grant.to}
    for grant in policy.grants:
        blind = grant.to - seers
        if grant.may & {Permission.STOP, Permission.BULK} and blind and MEMBERS not in seers:
            yield f"grant {grant.number} lets {', '.join(sorted(blind))} stop what no grant lets them view"


def _of_no_account(policy: Policy) -> Iterator[str]:
    """Yield what counts where there is one VoIPBIN account only, beside what names one of several."""
    if not policy.names():
        return
    unset = [f"grant {grant.number}" for grant in policy.grants if grant.accounts is None]
    unset += [f"alert {number}" for number, rule in enumerate(policy.alerts, 1) if rule.accounts is None]
    for one in unset:
        yield f"{one} names no account, and counts for none of several"


def _nobody_else(policy: Policy) -> Iterator[str]:
    """Yield each rule that wants two persons where one id is all that any grant names."""
    two = policy.rules.two_person
    for rule, permission, what in (("stop", Permission.STOP, "a stop"), ("bulk", Permission.BULK, "a bulk stop")):
        needs_two = rule in two or (rule == "bulk" and "stop" in two)
        giving = {Permission.APPROVE, permission}
        pressers = {name for grant in policy.grants if grant.may & giving for name in grant.to}
        if needs_two and len(pressers) == 1 and pressers.isdisjoint({MEMBERS, *policy.groups()}):
            yield (
                f"{what} needs two people, and only {next(iter(pressers))} can press: what they ask "
                "for themselves is never stopped"
            )


# ---------------------------------------------------------------- written ids
# Find every id that a policy file names, with its line: ``flows-bot check`` asks Slack and VoIPBIN whether they exist.


@dataclass(frozen=True, slots=True)
class WrittenId:
    """One id, at the first place where it stands."""

    id: str
    line: int


def written_ids(text: str) -> tuple[WrittenId, ...]:
    """Return the ids of people, groups, channels and flows, in the order of the file. ``text`` is a policy without
    mistakes.
    """
    text = text.removeprefix("\ufeff")
    file, lines = tomllib.loads(text), places(text)
    found: dict[str, WrittenId] = {}
    for where, word in _named(file):
        found.setdefault(word, WrittenId(word, line_of(lines, where) or 0))
    return tuple(sorted(found.values(), key=lambda written: written.line))


def _named(file: dict[str, Any]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    for table, keys in (("grant", ("to", "in", "flows")), ("alert", ("to", "flows"))):
        for number, entry in enumerate(file.get(table, ())):
            for key in keys:
                words = entry.get(key) or ()
                for place, word in enumerate([words] if isinstance(words, str) else words):
                    if word != MEMBERS:
                        yield (table, number, key, place), word
    for account, entry in file.get("account", {}).items():
        for place, word in enumerate(entry.get("channels", ())):
            yield ("account", account, "channels", place), word
    for key in ("ask_in", "audit_channel"):
        if word := file.get("rules", {}).get(key):
            yield ("rules", key), word
