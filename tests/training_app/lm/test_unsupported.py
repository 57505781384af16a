"""What a reply states without any ground is found, at its place in the text."""

from __future__ import annotations

from unicodedata import normalize

import pytest

from training_app.lm.unsupported import unsupported

KNOWN = (
    "How much is the Ridge tent?",
    "The Ridge tent costs $289, tax included; it ships within 5 working days from Elmbridge.",
    "Where is my order JP-417?",
)


def marked(reply, *known):
    return [reply[start:end] for start, end in unsupported(reply, known or KNOWN)]


@pytest.mark.parametrize(
    "reply",
    [
        "The Ridge tent costs $289, tax included.",
        "It is 289 dollars and ships from Elmbridge within 5 working days.",
        "Order JP-417 ships within five days.",
        "I do not find that in what I know. A colleague will help.",
        "Yes, of course!",
        "",
    ],
)
def test_what_stands_in_the_sources_or_the_talk_is_not_marked(reply):
    assert marked(reply) == []


@pytest.mark.parametrize(
    ("reply", "spans"),
    [
        ("The Ridge tent costs $319, tax included.", ["$319"]),
        ("Order JP-418 ships within 5 days.", ["JP-418"]),
        (
            "It ships within 9 working days, on 27 October 2026.",
            ["9 working days", "27 October 2026"],
        ),
        ("It was made by Anna Miller in Elmbridge, we open at 9:30.", ["Anna Miller", "9:30"]),
        ("Write to help@tents.example today.", ["help@tents.example"]),
        ("$ 289… but the ½ size costs 12 €", ["½", "12 €"]),
        ("☕☕ It costs \uff13\uff11\uff19 dollars", ["\uff13\uff11\uff19 dollars"]),
        ("It costs \u0663\u0661\u0669 and \u0663\u0661\u0669 more.", ["\u0663\u0661\u0669"] * 2),
        ("가격은 319원입니다", ["319원"]),
    ],
)
def test_what_stands_nowhere_is_marked_at_its_place(reply, spans):
    assert marked(reply) == spans


@pytest.mark.slow
@pytest.mark.parametrize("sign", ["a_", "a.", "a+", "+", "a-", "_"])
def test_a_long_text_without_spaces_is_read_in_one_go(sign):
    pasted = sign * 60_000  # were it read anew from each sign on, this would take minutes
    assert marked("Write to help@tents.example.", pasted, "help@tents.example") == []


@pytest.mark.slow
def test_a_long_reply_is_searched_in_a_moment():
    reply = " ".join(f"Order {n} of Anna-{n} costs ${n}." for n in range(1_000))
    assert len(marked(reply)) > 1_000


def test_german_nouns_are_no_names_however_short_the_reply():
    reply = "Kostenloser Versand ab 50 Euro. Rückgabe per Kurier."
    assert unsupported(reply, ["Ab 50 Euro liefern wir kostenlos."]) == []


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_name_is_marked_whole_in_either_spelling_of_its_accents(form):
    reply = normalize(form, "Ask for José Núñez tomorrow.")
    spans = [reply[start:end] for start, end in unsupported(reply, ["Ask us."])]
    assert normalize("NFC", " ".join(spans)) == "José Núñez"
