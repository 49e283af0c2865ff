"""How Slack writes an emoji in what an app reads: as its `:short_code:`, the skin tone apart.

The names are those of Slack's own list (https://github.com/iamcal/emoji-data); one that is not in the table below goes
by its Unicode name, which Slack's list follows for most.
"""

import re
import unicodedata

_SHOWN_AS_EMOJI = "⌚⌛⏩-⏬⏰⏳☔☕♈-♓♿⚓⚡⚪⚫⚽⚾⛄⛅⛎⛔⛪⛲⛳⛵⛺⛽✅✊✋✨❌❎❓-❕❗➕-➗➰➿⬛⬜⭐⭕"
_ONE = rf"(?:[\U0001F300-\U0001FAFF{_SHOWN_AS_EMOJI}]\uFE0F?|[\u2190-\u2BFF\u3030\u303D]\uFE0F)[\U0001F3FB-\U0001F3FF]?"
EMOJI = re.compile(rf"(?:[\U0001F1E6-\U0001F1FF]{{2}}|{_ONE}(?:\u200D{_ONE})*)")
"""What Slack's text box turns into an emoji; a sign like ✓ stays text."""

_NAMES = {
    "👍": "+1",
    "👎": "-1",
    "☎": "phone",
    "📞": "telephone_receiver",
    "✅": "white_check_mark",
    "❌": "x",
    "⚠": "warning",
    "🚨": "rotating_light",
    "❗": "exclamation",
    "❓": "question",
    "🔴": "red_circle",
    "🟢": "large_green_circle",
    "🔵": "large_blue_circle",
    "🟡": "large_yellow_circle",
    "⚡": "zap",
    "🤖": "robot_face",
    "🎉": "tada",
    "🙏": "pray",
    "👋": "wave",
    "😀": "grinning",
    "😄": "smile",
    "💥": "boom",
    "🔔": "bell",
    "🏥": "hospital",
    "❤": "heart",
    "⭐": "star",
    "✨": "sparkles",
    "🛑": "octagonal_sign",
    "🕐": "clock1",
    "🚀": "rocket",
    "🐌": "snail",
    "🔒": "lock",
    "👀": "eyes",
    "🙂": "slightly_smiling_face",
    "📱": "iphone",
    "💬": "speech_balloon",
}


def short_code(emoji: str) -> str:
    """Return its name without the outer colons: `fire`, `+1::skin-tone-4`, `flag-kr`."""
    if len(emoji) == 2 and all("\U0001f1e6" <= letter <= "\U0001f1ff" for letter in emoji):
        return "flag-" + "".join(chr(ord(letter) - 0x1F1E6 + ord("a")) for letter in emoji)
    tone = next(
        (f"::skin-tone-{ord(sign) - 0x1F3FB + 2}" for sign in emoji if "\U0001f3fb" <= sign <= "\U0001f3ff"), ""
    )
    signs = [sign for sign in emoji if sign not in "\ufe0f\u200d" and not "\U0001f3fb" <= sign <= "\U0001f3ff"]
    return "-".join(_NAMES.get(sign) or _unicode_name(sign) for sign in signs) + tone


def _unicode_name(sign: str) -> str:
    return unicodedata.name(sign, f"u{ord(sign):x}").lower().replace(" ", "_").replace("-", "_")
