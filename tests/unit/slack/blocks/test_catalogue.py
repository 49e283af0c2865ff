"""Nobody changes a sentence unseen: what the bot says is in one file, which is written anew by `python -m
tests.catalogue`.
"""

from tests.catalogue import DRAWN, TEXTS, as_json, as_text, catalogue, level, longest

HOW = "what the bot says has changed: look at it, run `python -m tests.catalogue`, and commit what it writes"


def test_every_sentence_is_in_the_catalogue() -> None:
    assert TEXTS.read_text(encoding="utf-8").splitlines() == as_text(catalogue()).splitlines(), HOW


def test_the_demo_draws_the_same_catalogue() -> None:
    assert DRAWN.read_text(encoding="utf-8").splitlines() == as_json(catalogue()).splitlines(), HOW


def test_a_long_sentence_of_long_words_is_harder_to_read() -> None:
    easy, hard = "It stops. Nothing was sent.", "Notwithstanding administrative authorisation, everything interoperates"
    assert level(easy) < level(hard)
    assert (longest(easy), longest(hard), level(""), longest("`3c5b0f6e`")) == (3, 5, 0.0, 0)
