"""Who is in the demo's workspace, and what the policy lets each of them do."""

from uuid import UUID

from bot.demo.slack.workspace import Workspace

OPERATOR, VIEWER, ONCALL, APPROVER = "U0OPERATOR", "U0VIEWER", "U0ONCALL", "U0APPROVER"
GUEST, STRANGER = "U0GUEST", "U0STRANGER"
NAMES = {
    OPERATOR: "Olive Operator",
    VIEWER: "Vic Viewer",
    ONCALL: "Onno Oncall",
    APPROVER: "Ava Approver",
    GUEST: "Gwen Guest",
    STRANGER: "Stan Stranger",
}
INCIDENTS, SUPPORT, GENERAL = "C0INCIDENTS", "C0SUPPORT", "C0GENERAL"

POLICY = f"""\
# The demo's policy. Unset is deny; ids only, never names.

[[grant]]
to = ["{OPERATOR}", "S0ONCALL"]     # a user, and a user group
may = ["view", "stop"]
in = ["{INCIDENTS}"]                # stopping is for the incident channel

[[grant]]
to = ["{OPERATOR}"]
may = ["bulk", "reveal", "audit"]   # many at once, a masked caller in clear, who did what

[[grant]]
to = ["{APPROVER}"]
may = ["approve"]                   # presses what somebody else, who may stop it, has asked for

[[grant]]
to = ["members"]                    # every full member may look, anywhere
may = ["view"]

[rules]
two_person = ["bulk"]               # many at once need somebody else's press; one activeflow does not
confirm_within = "5m"
"""


def alerts(flow: UUID) -> str:
    """One rule more: about whoever goes round in circles in this flow, without anybody asking."""
    return f"""
[[alert]]
to = "{INCIDENTS}"
about = ["looping", "steps"]        # left out: also what is stuck, and what is left over
flows = ["{flow}"]                  # "After hours"; left out: every flow
at_most = 4
within = "1h"
"""


def fill(workspace: Workspace) -> None:
    """People and channels. The guest and the stranger are in no grant, so they may do nothing."""
    workspace.add_user(OPERATOR, NAMES[OPERATOR], about="May look and stop, in #incidents")
    workspace.add_user(VIEWER, NAMES[VIEWER], about="May look, not stop: has to ask")
    workspace.add_user(ONCALL, NAMES[ONCALL], about="May stop, as a member of @oncall")
    workspace.add_user(APPROVER, NAMES[APPROVER], about="May look, and approve what others ask for")
    workspace.add_user(GUEST, NAMES[GUEST], about="A guest: may do nothing", is_restricted=True)
    workspace.add_user(STRANGER, NAMES[STRANGER], about="From another company, by Slack Connect", team_id="T0ELSEWHERE")
    workspace.add_group("S0ONCALL", "oncall", [ONCALL])
    everybody = [OPERATOR, VIEWER, ONCALL, APPROVER, GUEST, STRANGER]
    begin, look, absent = (
        "Type /flows list to see what is running.",
        "Members may look here; stopping is for #incidents.",
        "Nobody invited the app here, and it answers all the same.",
    )
    workspace.add_channel(INCIDENTS, "incidents", members=everybody, topic=begin)
    workspace.add_channel(SUPPORT, "support", members=everybody, topic=look)
    workspace.add_channel(GENERAL, "general", members=everybody, topic=absent, bot_is_member=False)
