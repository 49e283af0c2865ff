"""The program's very beginning. Everything else is loaded from here, which takes a second, and on a slow machine
many.
"""

import gc
import signal


def main() -> None:
    """Run ``flows-bot`` with what was typed after it; ``bot.command_line`` tells how it ends.

    Decision: Ctrl-C ends the process the way the system does it, without an exception that would break whatever is
    being loaded at that moment. What has something to put in order listens to it by itself
    (``composition.background``).
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    gc.disable()  # what is loaded stays: a quarter of the time would go into looking for garbage among it
    from bot.command_line import main as flows_bot  # noqa: PLC0415 — not before Ctrl-C is quiet

    gc.freeze()
    gc.enable()
    flows_bot()


if __name__ == "__main__":
    main()
