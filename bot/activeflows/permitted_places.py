"""List where a person may do what, by permission, for a page that stands in no channel.

It decides nothing: what may be done is decided anew where it is done, by ``operators.decide``.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bot.activeflows.operators import Permission, Person, Policy


@dataclass(frozen=True, slots=True)
class Reach:
    """Where somebody has one permission."""

    permission: Permission
    anywhere: bool
    channels: tuple[str, ...]
    """Where, when it is not anywhere."""
    some_flows: bool
    """For certain flows only."""


def reach(policy: Policy, person: Person) -> tuple[Reach, ...]:
    """In the order of the permissions; what this person may do to certain flows only, or elsewhere, stands apart."""
    return tuple(each for permission in Permission for each in _of(policy, person, permission))


def may_somewhere(reaches: Iterable[Reach], permission: Permission) -> Reach | None:
    """Where they may do this to any flow at all; ``None``: nowhere."""
    found = [each for each in reaches if each.permission is permission]
    return (
        _gathered(permission, [(each.anywhere, each.channels) for each in found], some_flows=False) if found else None
    )


def _of(policy: Policy, person: Person, permission: Permission) -> Iterator[Reach]:
    named = [grant for grant in policy.grants if permission in grant.may and grant.names(person)]
    for some_flows in (False, True):
        grants = [grant for grant in named if (grant.flows is not None) is some_flows]
        if grants:
            where = [(grant.channels is None, tuple(grant.channels or ())) for grant in grants]
            yield _gathered(permission, where, some_flows=some_flows)
            if any(anywhere for anywhere, _ in where):
                return


def _gathered(permission: Permission, where: list[tuple[bool, tuple[str, ...]]], *, some_flows: bool) -> Reach:
    anywhere = any(each for each, _ in where)
    channels = () if anywhere else tuple(sorted({channel for _, some in where for channel in some}))
    return Reach(permission, anywhere, channels, some_flows)
