from __future__ import annotations

import time

import pytest

from datasets_app.corpus.conversation import Conversation, Turn
from datasets_app.corpus.masking import mask, personal_data


def talk(*texts: str) -> Conversation:
    return Conversation(
        tuple(Turn(("user", "assistant")[n % 2], text) for n, text in enumerate(texts))
    )


def masked(*texts: str) -> list[str]:
    return [turn.text for turn in mask(talk(*texts)).conversation.turns]


def test_the_same_value_keeps_its_placeholder_through_all_turns():
    result = mask(
        talk(
            "I am Ana.Lopez@mail.example.org, call +49 171 5550123 or 030 1234567.",
            "Is ana.lopez@MAIL.example.org right, and 0049 171 555 0123?",
            "Yes, but bob@web.de too.",
        )
    )
    assert [turn.text for turn in result.conversation.turns] == [
        "I am <EMAIL_1>, call <PHONE_1> or <PHONE_2>.",
        "Is <EMAIL_1> right, and <PHONE_1>?",
        "Yes, but <EMAIL_2> too.",
    ]
    assert result.counts == {"email": 2, "phone": 2}


@pytest.mark.parametrize(
    "text",
    [
        "+1 (415) 867-5309",
        "415-867-5309",
        "06 12 34 56 78",
        "06.12.34.56.78",
        "030/1234567",
        "(020) 7946 0958",
        "5551234567",
        "+15551234567",
        "555-0142 today"[:8],
    ],
)
def test_phone_numbers_are_masked_in_their_usual_forms(text):
    assert masked(f"Call {text}, please") == ["Call <PHONE_1>, please"]


@pytest.mark.parametrize("text", ["4111 1111 1111 1111", "4111-1111-1111-1111", "378282246310005"])
def test_card_numbers_are_masked_by_their_check_digit(text):
    assert masked(f"My card is {text}.") == ["My card is <CARD_1>."]


@pytest.mark.parametrize(
    "text",
    [
        "On 2024-05-12 at 10:30 and on 12.05.2024 or 12/05/2024",
        "Order #10023456 and JP-1002345 are late",
        "It costs $1,299.00 or 1.299.000 €",
        "The server is 192.168.100.200",
        "Sizes 36 37 38 39 40 41 42",
        "In the years 2019 2020 2021 and 1990-2020",
        "Pi is 3.14159265",
        "502-2345678-9012345-77",
        "Order ID 112-3344556-7788990",
        "Room 12, floor 3, 42 seats",
        "user@host",
    ],
)
def test_dates_amounts_orders_and_lists_stay(text):
    assert masked(text) == [text]


def test_values_reserved_for_examples_are_known_and_masked_all_the_same():
    text = "Write to me@example.com or call (212) 555-0142, not to me@firma.de or 212-867-5309."
    assert [datum.is_reserved for datum in personal_data(text)] == [True, True, False, False]
    assert masked(text) == ["Write to <EMAIL_1> or call <PHONE_1>, not to <EMAIL_2> or <PHONE_2>."]


def test_masking_again_changes_nothing_and_new_values_get_new_numbers():
    once = masked("I am a@b.org", "Hello a@b.org")
    assert masked(*once) == once
    assert masked(*once, "and c@d.org") == [*once, "and <EMAIL_2>"]


def test_places_are_those_of_the_stored_text():
    text = "İ wrote to ana@firma.de yesterday"
    (datum,) = personal_data(text)
    assert text[datum.start : datum.end] == "ana@firma.de"


def test_the_search_is_linear_in_the_text():
    start = time.process_time()
    for piece in ("a", "a.", "1", "1 ", "a@", "+", "1-"):
        masked(piece * 50_000)
    assert time.process_time() - start < 5


SEPARATORS = (
    *("\u2011", "\u2010", "\u2013", "\u2212", "\u202f", "\u2009", "\u200b"),
    *("\u00a0", "\u3000", "\u2060", "\u00ad", "\u2022", "\u00b7", "\uff0d"),
)


@pytest.mark.parametrize("sign", SEPARATORS, ids=ascii)
def test_signs_that_programs_put_between_digits_hide_no_number(sign):
    assert masked(f"Call +44{sign}20{sign}7946{sign}0018, please") == ["Call <PHONE_1>, please"]
    assert masked(f"or 020{sign}7946{sign}0018 then") == ["or <PHONE_1> then"]
    assert masked(f"card {sign.join(['4111', '1111', '1111', '1111'])}.") == ["card <CARD_1>."]


@pytest.mark.parametrize(
    "text",
    [
        "dora\uff20mail.example",
        "dora\u200b@mail.example",
        "dora@ma\u00adil.example",
        "dora@mail\uff0eexample",
        "o'quill@mail.example",
        "o\u2019quill@mail.example",
        "d&o.ra-b+c@mail.example",
    ],
    ids=ascii,
)
def test_the_whole_address_is_masked(text):
    assert masked(f"write to {text} now") == ["write to <EMAIL_1> now"]


def test_a_quoted_address_keeps_its_quotes():
    assert masked("it is 'dora@mail.example'") == ["it is '<EMAIL_1>'"]


def test_a_number_in_brackets_and_between_marks_of_direction_is_masked_whole():
    assert masked("(202) 555\u20110143 is mine") == ["<PHONE_1> is mine"]
    assert masked("+1 (777) 777\u20117777") == ["<PHONE_1>"]
    assert masked("\u202a+44\u00a020\u20097946\u20090018\u202c") == ["\u202a<PHONE_1>\u202c"]
    assert masked("\uff10\uff12\uff10 7946 0018") == ["<PHONE_1>"]


def test_an_address_spelled_with_unseen_signs_has_the_placeholder_of_the_plain_one():
    assert masked("dora@mail.example", "DORA\u200b\uff20mail.example") == ["<EMAIL_1>"] * 2
    assert masked("020 7946 0018", "020\u20117946\u20110018") == ["<PHONE_1>"] * 2


@pytest.mark.parametrize(
    "text",
    ["on 2024\u201105\u201112", "order JP\u20111002345", "it costs 1\u202f299\u202f000 \u20ac"],
    ids=ascii,
)
def test_dates_orders_and_amounts_stay_with_such_signs_too(text):
    assert masked(text) == [text]
