"""State what stopping needs from outside; the adapters match by shape."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Protocol, TypeVar

from bot.activeflows.operators import ANY_FLOW, Flow, Operator, Permission
from bot.activeflows.ports import Records
from bot.activeflows.records import Record
from bot.activeflows.stopping.stop import (
    CallAfter,
    Claim,
    Declined,
    Ended,
    Fence,
    GateAnswer,
    Intent,
    IntentState,
    Phase,
    Press,
    StoredIntent,
)

T = TypeVar("T")


class Ledger(Records, Protocol):
    """Stops, as they outlive the process. Every method may raise ``LedgerUnavailable``; then nothing was written."""

    async def open_intent(self, intent: Intent, asked: Record, *, instead_of: str = "", by_press: str = "") -> bool:
        """Keep a new intent and its record, together. ``instead_of`` is superseded by it, and its claim given back.

        False, and nothing kept, when the one it replaces is neither open nor being stopped by ``by_press``; or when it
        replaces none and is there already.
        """
        ...

    async def draft_intent(self, intent: Intent) -> None:
        """Keep an intent whose card is not posted yet; one that is there already stays as it is."""
        ...

    async def open_draft(self, intent: Intent, asked: Record) -> bool:
        """Open a drafted one, as it is now, with its record. False when somebody did already."""
        ...

    async def intent(self, intent_id: str) -> StoredIntent | None: ...

    async def card_posted(self, intent_id: str, message_ts: str) -> None:
        """Remember where the card stands."""
        ...

    async def unsent(self, intent: Intent, press_id: str) -> bool:
        """Tell whether nothing was sent for this press and nothing came of it so far, and only this process changes its
        card.

        So the intent is open, or is being stopped by this press; where several processes share the database, the
        latter.
        """
        ...

    async def claim(self, intent: Intent, press: Press) -> Claim:
        """Take the one right to stop this activeflow, or to hang up its call. The same press again is given it again.

        The intent keeps a reason that was given at this press.
        """
        ...

    async def take_up(self, press_id: str) -> Fence:
        """Begin a run of this press's workflow: no earlier run of it counts any more."""
        ...

    async def take_up_card(self, press: Press) -> tuple[Fence, StoredIntent | None]:
        """Do the same, and read the intent of its card."""
        ...

    async def holds(self, fence: Fence) -> bool:
        """Tell whether this run still counts. While the database does not answer: as long as nobody can have taken
        over.
        """
        ...

    async def permit(self, intent: Intent, press: Press, fence: Fence, sending: Record) -> GateAnswer:
        """Tell whether a POST may go out now: in one transaction the run counts, the claim is this press's, a bulk
        stop is not aborted, the deadline has not passed by the database's clock, and ``sending`` is written down.
        """
        ...

    async def conclude(
        self,
        fence: Fence,
        intent: Intent,
        press: Press,
        records: Sequence[Record],
        state: IntentState,
        ended: Ended | None,
    ) -> str:
        """Write down what came of it, the outcome last, and give the claim back, together.

        The receipt of the outcome; empty when the run counts no more.
        """
        ...

    async def settle(self, intent_id: str, press_id: str, state: IntentState) -> None:
        """Give the right back; the intent goes to ``state`` (``open``: it can be pressed again)."""
        ...

    async def keep_end(self, fence: Fence, intent_id: str, press_id: str, ended: Ended) -> Ended | None:
        """Keep more of how it ended, and give the right back.

        How it ended, as it then stands: with what came of a press on *Hang up the call*, if there was one. ``None``,
        and nothing kept, when the run counts no more.
        """
        ...

    async def hung_up(self, intent_id: str, call: CallAfter) -> Ended | None:
        """Keep what came of such a press. How it ended, as it then stands; ``None`` when it has not."""
        ...

    async def put_away(self, intent_id: str, record: Record) -> bool:
        """Cancel an open intent. False when it is not open any more."""
        ...


class Presses(Protocol):
    """Where presses are recorded, to be carried out even if the process dies."""

    async def start(self, press: Press) -> None:
        """Record a press, and return once that is done; the same press again changes nothing. Raises
        ``LedgerUnavailable``.
        """
        ...


class People(Protocol):
    """Who somebody is, by Slack's facts."""

    async def identify(
        self,
        user_id: str,
        channel: str,
        *,
        team: str = "",
        may: Collection[Permission],
        flows: Collection[Flow] = (ANY_FLOW,),
        max_age: float = 0.0,
    ) -> Operator:
        """Identify this person here, with the policy of this moment and the facts that decide about these permissions
        and flows.

        Nothing more is asked once one of ``may`` is granted for each of ``flows``. A fact older than ``max_age``
        seconds is asked for anew, as far as Slack's limits allow. ``team``: the one the payload names for this person,
        when it does. Raises ``IdentityUnknown`` when nothing is granted and an answer is missing that could grant it.
        """
        ...


class Guard(Protocol):
    """Raises when an edit must not be made any more; ``authorization.PressHold.must_hold``."""

    async def __call__(self, *, waited: bool = True) -> None:
        """Raise when the edit must not be made any more. ``waited``: the edit had to wait for its turn."""
        ...


class Cards(Protocol):
    """Telling the channel and the presser. Never raises for Slack's troubles: it answers whether it could be seen.

    What Slack does not take is told again for a while before that.
    """

    async def show(self, intent: Intent, phase: Phase, press: Press | None, *, guard: Guard | None = None) -> bool:
        """Edit the card in place; when that cannot be done, say it to the presser.

        ``guard`` is asked when it is this edit's turn, and raises when it must not be made any more.
        """
        ...

    async def redraw(
        self, intent: Intent, phase: Callable[[], Awaitable[Phase | None]], press: Press | None = None
    ) -> bool:
        """Edit the card for everybody to what ``phase`` says when it is this edit's turn; ``None``: leave it as it is.

        Without a ``press`` nobody is told instead when it cannot be done; with one, whoever pressed is, after some
        tries.
        """
        ...

    async def decline(self, press: Press, declined: Declined) -> bool:
        """Tell the presser alone why the press was not taken."""
        ...

    def begun(self, press: Press) -> None:
        """Note that something may be sent for it from now on: nobody is told otherwise any more."""
        ...


class Step(Protocol):
    """Runs a step of a durable workflow once and remembers its result; a restart replays the remembered ones.

    Only the newest run of a workflow remembers anything; any other raises ``authorization.Fenced``.
    """

    async def __call__(
        self,
        name: str,
        returns: type[T],
        work: Callable[[], Awaitable[T]],
        /,
        *,
        repeatable: bool = False,
        ledger_first: bool = False,
    ) -> T:
        """Run one step. ``repeatable``: nothing goes wrong when this is done anew as long as no later step has changed
        anything, so its result may be remembered together with the first change that a later step makes.

        ``ledger_first``: whatever this step changes, a write of the ledger comes first; the results of repeatable steps
        before it are part of that transaction.
        """
        ...

    async def sleep(self, seconds: float) -> None:
        """Pause; that does not start anew after a restart."""
        ...

    async def idle(self, seconds: float) -> None:
        """Pause a workflow whose end was told, and which only follows from now on: a shutdown does not wait for it."""
        ...
