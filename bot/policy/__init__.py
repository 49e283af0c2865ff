"""Read ``policy.toml``, and keep the last good reading in force.

::

    active_policy   look at the file again and again while the bot runs; a broken one changes nothing
    file            turn its text into grants, rules and alerts, or into one line per mistake
    source_lines    find the line on which an entry stands
    advice          say what is allowed and probably not meant, and list every id that is named
"""

from bot.policy.active_policy import PolicyInForce
from bot.policy.file import parsed_policy, read_policy

__all__ = ["PolicyInForce", "parsed_policy", "read_policy"]
