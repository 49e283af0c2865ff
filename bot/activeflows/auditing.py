"""Reading the record of who did what.

A record does not say which flow its activeflow was of, so a grant limited to flows does not open the audit.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from bot.activeflows.operators import Operator, Permission
from bot.activeflows.ports import Ledger
from bot.activeflows.records import Entry, Question
from bot.activeflows.targets import Prefix, Target


class Auditing:
    """``/flows audit``."""

    def __init__(self, ledger: Ledger, *, now: Callable[[], datetime]) -> None:
        self._ledger, self._now = ledger, now

    async def entries(
        self, operator: Operator, *, about: Target | None, who: str | None, since: timedelta | None
    ) -> Sequence[Entry]:
        """The newest records that fit, newest first. Raises ``NotPermitted`` or ``LedgerUnavailable``."""
        operator.require(Permission.AUDIT, None)
        question = Question(
            who=who,
            activeflow_id=None if isinstance(about, Prefix) else about,
            activeflow_prefix=about.dashed if isinstance(about, Prefix) else None,
            since=None if since is None else self._now() - since,
        )
        return await self._ledger.records(question)
