"""Draw what a person may do here, and which grant of the policy gives it or would give it."""

from bot.activeflows.operators import Decision, Operator, Permission
from bot.slack import kit
from bot.slack.blocks.mrkdwn import bold, code, escaped, mention, mentions
from bot.slack.messaging.messenger import Message

_MOST = 10


def whoami(operator: Operator) -> Message:
    """Every permission with its reason, for the person's own eyes."""
    decisions = [operator.decide(permission) for permission in Permission]
    lines = "\n".join(_line(decision, operator) for decision in decisions)
    blocks = [
        kit.header("What you can do here"),
        kit.section(_who(operator)),
        kit.section(lines),
    ]
    if not all(decision.allowed for decision in decisions):
        small = "Grants are numbered from the top of the bot's policy file."
        blocks.append(kit.context(small))
    allowed = [decision.permission.value for decision in decisions if decision.allowed]
    return Message(f"Here you can: {', '.join(allowed) or 'nothing'}.", tuple(blocks))


def _who(operator: Operator) -> str:
    person = operator.person
    groups = ", ".join(mention(group) for group in sorted(person.groups)[:_MOST])
    where = f", in {mention(operator.channel)}" if operator.channel else ""
    return f"You are {mention(person.id)}, {escaped(person.standing)}{f', in {groups}' if groups else ''}{where}."


def _line(decision: Decision, operator: Operator) -> str:
    word = bold(decision.permission.value)
    if decision.allowed:
        return f"{word}: yes, {escaped(decision.because)}{_limits(decision.permission, operator)}"
    asked = mentions(decision.who_may)
    because = escaped(decision.because[:1].upper() + decision.because[1:])
    return f"{word}: no. {because}" + (f". You can ask {asked}" if asked else "")


def _limits(permission: Permission, operator: Operator) -> str:
    """Where every grant that fits is limited to flows: which."""
    fitting = [
        grant
        for grant in operator.policy.grants
        if permission in grant.may
        and grant.names(operator.person)
        and (grant.channels is None or operator.channel in grant.channels)
    ]
    if any(grant.flows is None for grant in fitting):
        return ""
    flows = sorted({flow.hex[:8] for grant in fitting for flow in grant.flows or ()})
    more = f" and {len(flows) - _MOST} more" if len(flows) > _MOST else ""
    return f", for the flows {', '.join(map(code, flows[:_MOST]))}{more} only"
