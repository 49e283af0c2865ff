"""Read ``policy.toml``: from its text to the policy in force.

::

    file        the text into the rules the middle decides by, or one line per mistake
    alerts      the rules by which troubles are posted       entries    what single entries must look like
    places      on which line of the text something stands
    mounts      whether the file is still the one its name means outside
    in_force    the file looked at again and again while the bot runs; a broken one changes nothing
"""

from bot.policy.active_policy import PolicyInForce
from bot.policy.file import parsed_policy, read_policy

__all__ = ["PolicyInForce", "parsed_policy", "read_policy"]
