"""The program's very beginning: everything else is loaded from here, and Ctrl-C meanwhile ends it without a traceback."""

import sys


def main() -> None:
    """``flows-bot`` with what was typed after it; ``bot.__main__`` tells how it ends."""
    try:
        from bot.__main__ import main as flows_bot  # noqa: PLC0415 — loading takes a second, on a slow machine many
    except KeyboardInterrupt:
        sys.exit(130)
    flows_bot()
