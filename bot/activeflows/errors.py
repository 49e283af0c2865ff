"""Define everything that can go wrong, by whose turn it is.

::

    BotError
    ├── Refusal                 the person who asked can act on it; shown privately, as it stands
    │   ├── NotUnderstood       the words typed, with a suggestion
    │   ├── NotPermitted        the decision says which rule
    │   ├── NotFound            no such activeflow
    │   ├── Ambiguous           the short id fits several
    │   ├── NotOurs             it belongs to another customer's account
    │   ├── NothingToStop       it has ended already
    │   └── TooManySearches     for telephone numbers, by one person
    └── Failure                 somebody else must act; shown with the request id
        ├── VoIPBINUnreachable  no connection, or no answer in time
        ├── VoIPBINBusy         429: too many requests
        ├── CredentialRejected  401 or 403: the bot's own credential
        ├── AccountFrozen       403 ACCOUNT_FROZEN
        ├── AccountNotSetUp     of several accounts, this bot has no good settings for that one
        ├── PaymentDue          402: the customer's account has to be paid first
        ├── StateConflict       409: refused because of the state that VoIPBIN says it is in
        ├── VoIPBINBroken       an error of its own, or an answer that cannot be read
        ├── StopUnconfirmed     a stop was sent and its answer was lost: it may have happened
        ├── IdentityUnknown     Slack did not say who this person is
        │   └── SlackRefuses    … and will not, until somebody looks at the app's token and scopes
        └── LedgerUnavailable   the database did not take the record

From ``stop`` only ``StopUnconfirmed`` means "perhaps done"; every other ``Failure`` means "certainly not done".
Ordinary outcomes (it had ended already, somebody else is stopping it) are values, not errors.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID

if TYPE_CHECKING:
    from bot.activeflows.model import Activeflow
    from bot.activeflows.operators import Decision


NOT_SHOWN: Final = "VoIPBIN does not show this activeflow to the bot's account"


class BotError(Exception):
    """Something a person is told about in words."""


class Refusal(BotError):
    """The asker can act on it. Nothing was done."""


class NotUnderstood(Refusal):
    """The words typed do not fit the grammar. ``suggestion`` is a corrected line, ready to be typed, or empty."""

    def __init__(self, problem: str, suggestion: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.suggestion = suggestion


class NotPermitted(Refusal):
    """The policy says no, or does not say yes."""

    def __init__(self, decision: "Decision") -> None:
        super().__init__(decision.because)
        self.decision = decision


class NotFound(Refusal):
    """No activeflow matches. ``looked`` says in words how far the look went, when it was bounded."""

    def __init__(self, target: str, looked: str = "") -> None:
        super().__init__(target)
        self.target = target
        self.looked = looked


class Ambiguous(Refusal):
    """A short id fits several activeflows."""

    def __init__(self, target: str, candidates: "Sequence[Activeflow]") -> None:
        super().__init__(target)
        self.target = target
        self.candidates = tuple(candidates)


class NotOurs(Refusal):
    """The activeflow belongs to another customer than the bot's credential."""

    def __init__(self, activeflow_id: UUID) -> None:
        super().__init__(str(activeflow_id))
        self.activeflow_id = activeflow_id


class NothingToStop(Refusal):
    """Asked to stop an activeflow that has ended."""

    def __init__(self, activeflow: "Activeflow") -> None:
        super().__init__(str(activeflow.id))
        self.activeflow = activeflow


class TooManySearches(Refusal):
    """One person has looked for ``most`` telephone numbers; ``again_at``: when the next one may be looked for."""

    def __init__(self, most: int, again_at: datetime) -> None:
        super().__init__(str(most))
        self.most = most
        self.again_at = again_at


class Failure(BotError):
    """Somebody else must act. ``request_id`` finds the request in VoIPBIN's logs; empty when none was sent.

    The text never holds a URL, a credential, a phone number or VoIPBIN's own message. ``retry_after`` (seconds): it may
    pass by itself, and asking again then is right.
    """

    def __init__(self, what: str, request_id: str = "", retry_after: float | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.request_id = request_id
        self.retry_after = retry_after


class VoIPBINUnreachable(Failure):
    """DNS, connection or time-out; or 503."""


class VoIPBINBusy(Failure):
    """429: too many requests."""

    retry_after: float

    def __init__(self, what: str, request_id: str = "", retry_after: float = 1.0) -> None:
        super().__init__(what, request_id, retry_after)


class CredentialRejected(Failure):
    """401 or 403 about the bot's own credential (a passing trouble of VoIPBIN looks the same)."""


class AccountFrozen(Failure):
    """403 ACCOUNT_FROZEN: the customer's account is scheduled for deletion."""


class AccountNotSetUp(Failure):
    """It is about a VoIPBIN account that this bot is not, or not well, set up for. Nothing was asked, and nothing
    sent.
    """


class PaymentDue(Failure):
    """402: This VoIPBIN account has to be paid first."""


class StateConflict(Failure):
    """409: VoIPBIN refused it because of the state it says it is in, such as being stopped already. Nothing was done by
    it.
    """


class VoIPBINBroken(Failure):
    """5xx, an unclassified 4xx, or an answer that cannot be read."""


class StopUnconfirmed(Failure):
    """The stop was sent; whether it was done is not known. Only reading can tell."""


class IdentityUnknown(Failure):
    """Slack did not answer who this person is: an unanswered question is a no."""


class SlackRefuses(IdentityUnknown):
    """Slack refuses the app for good; waiting does not help."""


class LedgerUnavailable(Failure):
    """The record could not be written, so nothing was done.

    ``may_be_kept``: the answer is missing, and what was written may stand all the same.
    """

    def __init__(self, what: str, *, may_be_kept: bool = True) -> None:
        super().__init__(what)
        self.may_be_kept = may_be_kept
