"""Listen to `show`, `stop` and `watch` without an id, to their menus, and to the shortcut *Stop an activeflow…*.

What is chosen is carried out as if its id had been typed there: by the same listener, with the same permissions and
records. Nothing but the list is decided here, and the list has only what this person may view in that place. Decisions:

- A typed command is answered by a menu in a message that only they see, not by a modal: it takes one press less (what
  is chosen is done, no form is submitted), it works in a thread, and where the bot is no member, too. It stays, so that
  after a wrong choice, or for the next one, it is there.
- The shortcut stands in no channel, so it opens a form, which asks where the card goes; Slack fills in the channel they
  look at. The form is opened at once: its trigger lives for three seconds. Slack answers for the channel with a
  response_url, so a card can be posted where the bot is no member. Slack offers private channels to their members only,
  and who may press is decided in the channel of the card.
- Options are their own ack, within three seconds: what takes longer is said in the menu, and so is every trouble. Slack
  would show an empty menu as "no results", which would be a lie.

https://docs.slack.dev/reference/interaction-payloads/block_suggestion-payload
https://docs.slack.dev/interactivity/implementing-shortcuts
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any, Final

import structlog
from slack_bolt.context.ack.async_ack import AsyncAck

from bot.activeflows.errors import BotError, NotPermitted, NotUnderstood
from bot.activeflows.operators import Permission
from bot.activeflows.search.choices import Choices, Chooser
from bot.slack import ids, kit
from bot.slack.blocks import picker
from bot.slack.blocks.error_words import reported, root_of
from bot.slack.grammar.normalization import decoded, plain, unquoted
from bot.slack.grammar.requests import Pick
from bot.slack.interaction import from_action, from_view
from bot.slack.kit import code
from bot.slack.listeners.commands import start
from bot.slack.listeners.context import InteractionContext, Listeners
from bot.slack.messaging.messenger import Message, marked_id
from bot.slack.messaging.views import FormState, Views
from bot.slack.transport.jobs import Lane

log = structlog.get_logger(__name__)

OFFERED_WITHIN: Final = 2.0
"""Seconds; Slack shows no options that come after three, and they have a way to go."""
_NO_FORM: Final = "Slack did not let me show you the form. Nothing was posted or stopped. Type {} in a channel."
_PERHAPS: Final = "Slack did not say whether it shows you the form. If it does not, type {} in a channel."


@dataclass(frozen=True)
class PickerListener:
    """The request, the menus, and the form."""

    chooser: Chooser
    views: Views
    now: Callable[[], datetime]
    within: float = OFFERED_WITHIN

    def register(self, listeners: Listeners) -> None:
        listeners.on_request(Pick, self._pick, lane=Lane.LIGHT)
        listeners.on_shortcut(ids.STOP_SHORTCUT, self._open, lane=Lane.STOP)
        for word, action_id in picker.MENUS.items():
            own = marked_id(action_id, listeners.account)
            listeners.app.hears("block_actions", own, partial(self._chosen, listeners, word))
            listeners.app.waits_for("block_suggestion", own, partial(self._asked, listeners, word))

        @listeners.app.view(marked_id(ids.STOP_SHORTCUT, listeners.account))
        async def submitted(ack: AsyncAck, body: dict[str, Any], view: dict[str, Any]) -> None:
            await self._submitted(listeners, ack, body, view)

    async def _pick(self, context: InteractionContext, request: Pick) -> None:
        (await context.operator()).require(Permission.VIEW)
        await context.reply(picker.picker(request.word, command=context.command))

    # ------------------------------------------------------------ the menu

    async def _asked(self, listeners: Listeners, word: picker.Word, ack: AsyncAck, body: dict[str, Any]) -> None:
        """Answer with what fits so far."""
        interaction, typed = from_action(body), body.get("value")
        if interaction.modal_id:
            interaction = replace(interaction, channel_id=_place(body.get("view")))
        words = plain(unquoted(decoded(typed if isinstance(typed, str) else "")))
        await ack(option_groups=await self._offered(listeners.context(interaction), word, words))

    async def _offered(self, context: InteractionContext, word: picker.Word, typed: str) -> list[kit.Element]:
        user, instead = context.interaction.user_id, picker.type_it(word, context.command)
        try:
            choices = await context.jobs.answered(user, partial(self._choices, context, typed), within=self.within)
        except TimeoutError:
            return picker.not_listed("Not listed: it took too long. Type again.", instead)
        except Exception as error:  # noqa: BLE001 - a menu without a word would say that there is nothing
            trouble = root_of(error)
            if not isinstance(trouble, BotError):
                number = reported(trouble, user=user, doing="listing what can be chosen")
                return picker.not_listed(f"Not listed: this bot hit a bug, incident {number}.", instead)
            log.info("not_listed", user=user, error=type(trouble).__name__)
            if isinstance(trouble, NotPermitted) and not context.interaction.channel_id:
                return picker.not_listed(picker.CHOOSE_PLACE)
            return picker.explained_in_menu(trouble, word, command=context.command)
        return picker.offered(choices, self.now(), command=context.command)

    async def _choices(self, context: InteractionContext, typed: str) -> Choices:
        return await context.read(partial(self.chooser.fitting, typed=typed))

    def _chosen(self, listeners: Listeners, word: picker.Word, body: dict[str, Any]) -> None:
        """Do what the same line with this id would do."""
        context, chosen = listeners.context(from_action(body)), _value(body["actions"][0])
        if chosen == ids.NOTE:
            context.start(lambda: context.reply(picker.chose_a_note(word, command=context.command)))
        else:
            start(listeners, context, f"{word} {chosen}")

    # ------------------------------------------------------------ the form

    async def _open(self, context: InteractionContext) -> None:
        typed = code(f"{context.command} stop")
        match await self.views.ask(context.interaction.trigger_id, picker.stop_form()):
            case FormState.NOT_KNOWN:
                await context.reply(Message(_PERHAPS.format(typed)))
            case FormState.REFUSED:
                await context.reply(Message(_NO_FORM.format(typed)))

    async def _submitted(
        self, listeners: Listeners, ack: AsyncAck, body: dict[str, Any], view: Mapping[str, Any]
    ) -> None:
        interaction, chosen = from_view(body), _value(_given(view, ids.PICK_STOP, listeners.account))
        interaction = replace(interaction, channel_id=interaction.channel_id or _place(view))
        try:
            activeflow_id = ids.decode_activeflow(chosen)
        except NotUnderstood:
            await ack(response_action="errors", errors={ids.PICK_STOP: picker.CHOOSE_ONE})
            return
        if not interaction.channel_id:
            await ack(response_action="errors", errors={ids.PICK_WHERE: picker.CHOOSE_PLACE})
            return
        await ack()
        start(listeners, listeners.context(interaction), f"stop {activeflow_id}")


def _value(given: Mapping[str, Any]) -> str:
    """Return what was chosen in a menu."""
    option = given.get("selected_option")
    value = option.get("value") if isinstance(option, Mapping) else None
    return value if isinstance(value, str) else ids.NOTE


def _place(view: object) -> str:
    """Return the channel that is chosen in the form; empty when none is."""
    chosen = _given(view, ids.PICK_WHERE).get("selected_conversation") if isinstance(view, Mapping) else None
    return chosen if isinstance(chosen, str) else ""


def _given(view: Mapping[str, Any], field: str, account: str = "") -> Mapping[str, Any]:
    """Return what stands in this field of the form, which may be nothing. ``account``: of the menu there, if it has
    one.
    """
    try:
        given = view["state"]["values"][field][marked_id(field, account)]
    except (KeyError, TypeError):
        return {}
    return given if isinstance(given, Mapping) else {}
