"""Answer what is typed on a terminal beside running the bot: asking the audit, and asking the policy.

What a command takes is beside what carries it out (``audit_reading``, ``policy_answers``, ``checks``), which is loaded
when it is asked: so ``--help`` does not load the bot.
"""
