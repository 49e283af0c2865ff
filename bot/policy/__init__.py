"""Read ``policy.toml``, and keep the last good reading in force.

::

    active_policy   look at the file again and again while the bot runs; a broken one changes nothing
    file            turn its text into grants and rules, or into one line per mistake
    alerts          read the [[alert]] entries           entries   define what single entries must look like
    source_lines    find the line on which an entry stands   written_ids   list every id that is named
    advice          say what is allowed and probably not meant
    mounts          see whether the file was replaced outside of a container's mount
    health          tell the doctor which policy is in force
"""

from bot.policy.active_policy import PolicyInForce
from bot.policy.file import parsed_policy, read_policy

__all__ = ["PolicyInForce", "parsed_policy", "read_policy"]
