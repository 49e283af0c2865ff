"""Define the one error of a start: what is wrong with the environment, the policy file, or what they point at."""


class Misconfigured(Exception):
    """What is wrong, one line per mistake, in words for the person who starts the bot. No line prints a value."""

    def __init__(self, *mistakes: str) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes
