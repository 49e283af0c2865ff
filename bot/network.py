"""Say in words why a certificate is not accepted."""

from typing import Final

_CERTIFICATE: Final = (
    ("certificate has expired", "has expired"),
    ("certificate is not yet valid", "is not valid yet: is this machine's clock right?"),
    ("mismatch", "is one for another address"),
    ("", "is not trusted"),
)
"""What OpenSSL says, and what that means."""


def certificate_trouble(said: str) -> str:
    """What is wrong with "the certificate"; empty when the error with these words is about something else."""
    if "CERTIFICATE_VERIFY_FAILED" not in said:
        return ""
    return next(words for sign, words in _CERTIFICATE if sign in said)
