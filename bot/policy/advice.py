"""Say what a policy says without a mistake, and probably does not mean. ``flows-bot policy check`` prints it."""

from collections.abc import Iterator

from bot.activeflows.operators import MEMBERS, Permission, Policy


def advice(policy: Policy) -> tuple[str, ...]:
    """One line for each oddity; none of them changes what is decided."""
    return (*_useless(policy), *_nobody_else(policy), *_of_no_account(policy))


def _useless(policy: Policy) -> Iterator[str]:
    seers = {name for grant in policy.grants if Permission.VIEW in grant.may for name in grant.to}
    for grant in policy.grants:
        blind = grant.to - seers
        if grant.may & {Permission.STOP, Permission.BULK} and blind and MEMBERS not in seers:
            yield f"grant {grant.number} lets {', '.join(sorted(blind))} stop what no grant lets them view"


def _of_no_account(policy: Policy) -> Iterator[str]:
    """What counts where there is one VoIPBIN account only, beside what names one of several."""
    if not policy.names():
        return
    unset = [f"grant {grant.number}" for grant in policy.grants if grant.accounts is None]
    unset += [f"alert {number}" for number, rule in enumerate(policy.alerts, 1) if rule.accounts is None]
    for one in unset:
        yield f"{one} names no account, and counts for none of several"


def _nobody_else(policy: Policy) -> Iterator[str]:
    """A rule that wants two persons where one id is all that any grant names."""
    two = policy.rules.two_person
    for rule, permission, what in (("stop", Permission.STOP, "a stop"), ("bulk", Permission.BULK, "a bulk stop")):
        needs_two = rule in two or (rule == "bulk" and "stop" in two)
        giving = {Permission.APPROVE, permission}
        pressers = {name for grant in policy.grants if grant.may & giving for name in grant.to}
        if needs_two and len(pressers) == 1 and pressers.isdisjoint({MEMBERS, *policy.groups()}):
            yield f"{what} needs two people, and only {next(iter(pressers))} can press: what they ask for themselves is never stopped"
