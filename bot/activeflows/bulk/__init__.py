"""Stopping many: a frozen list, one first, then two at a time; each by the code of a lone stop."""
