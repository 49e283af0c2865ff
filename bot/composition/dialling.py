"""Read telephone numbers by the rules of their countries, with Google's libphonenumber.

https://github.com/daviddrysdale/python-phonenumbers

Decision: only numbers that are valid by those rules are read so; what they do not know (made-up numbers, extensions, new
ranges) is compared as without them. A number that leaves out its area, too, is in the region and matched by its ending.
"""

import phonenumbers
from phonenumbers import NumberParseException, ValidationResult

from bot.activeflows.numbers import SHORTEST, Number, Plan


def plan_of(region: str) -> Plan:
    """For numbers that are written in this region (ISO 3166)."""

    def read(written: str) -> Number | None:
        for attempt in (written, f"+{written[2:]}" if written.startswith("00") else ""):
            number = _parsed(attempt, region)
            if number is not None and phonenumbers.is_valid_number(number):
                national = phonenumbers.national_significant_number(number)
                return Number(f"{number.country_code}{national}", international=True)
        number = _parsed(written, region)
        if number is None or written.startswith("+"):
            return None
        local = phonenumbers.is_possible_number_with_reason(number) is ValidationResult.IS_POSSIBLE_LOCAL_ONLY
        national = phonenumbers.national_significant_number(number)
        return Number(national, country=str(number.country_code)) if local and len(national) >= SHORTEST else None

    return read


def _parsed(written: str, region: str) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(written, region)
    except NumberParseException:
        return None
