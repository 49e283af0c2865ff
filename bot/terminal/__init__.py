"""Answer what is typed on a terminal beside running the bot: asking the audit, and asking the policy."""
