"""Mask personal data for people who need not know it: enough to recognise, too little to dial."""

from bot.activeflows.model import Party


def masked(party: Party) -> str:
    """``+15550100001`` becomes ``+1555•••••01``; anything that is not a number becomes its kind ("a SIP address")."""
    target = party.target
    digits = sum(c.isdigit() for c in target)
    if party.type in {"tel", "whatsapp", ""} and digits >= 4 and all(c.isdigit() or c in "+ -()" for c in target):
        compact = "".join(c for c in target if c.isdigit() or c == "+")
        shown = min(5, max(0, len(compact) - 6))
        return f"{compact[:shown]}{'•' * (len(compact) - shown - 2)}{compact[-2:]}"
    kinds = {
        "sip": "a SIP address",
        "extension": "an extension",
        "agent": "an agent",
        "ai": "an AI",
        "email": "an e-mail address",
    }
    return kinds.get(party.type, "a hidden address" if target else "unknown")
