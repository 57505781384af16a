from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_app.serving.text import TextStream
from tests.chat_app.serving.toys import byte_tokenizer

TOKENIZER = byte_tokenizer(merges=0)
WORDS = st.text(st.sampled_from("ab €😀漢\nñ"), max_size=40)


def ids_of(text):
    return TOKENIZER.encode(text).ids


def pushed(text_stream, ids):
    """Push tokens until the stream stops, then finish; return the parts."""
    parts = []
    for token in ids:
        parts.append(text_stream.push(token))
        if text_stream.stopped:
            break
    return [*parts, text_stream.finish()]


def test_a_character_of_four_bytes_comes_whole():
    parts = pushed(TextStream(TOKENIZER), ids_of("a😀b"))
    assert parts == ["a", "", "", "", "😀", "b", ""]


def test_half_a_character_at_the_end_is_flushed():
    ids = ids_of("ok 😀")[:-1]
    *_, rest = parts = pushed(TextStream(TOKENIZER), ids)
    assert rest
    assert "".join(parts) == TOKENIZER.decode(ids)


@pytest.mark.slow
@given(st.lists(st.integers(7, 262), max_size=40))
def test_any_bytes_give_the_text_of_one_decode(ids):
    parts = pushed(TextStream(TOKENIZER), ids)
    assert "".join(parts) == TOKENIZER.decode(ids)


@pytest.mark.slow
@given(WORDS, st.lists(st.text(st.sampled_from("ab €😀"), min_size=1, max_size=4), max_size=4))
def test_the_text_ends_where_the_first_stop_string_begins(text, stop):
    stream = TextStream(TOKENIZER, stop)
    shown = "".join(pushed(stream, ids_of(text)))
    assert not any(word in shown for word in stop)
    assert text.startswith(shown)
    assert stream.stopped == any(word in text for word in stop)
    if not stream.stopped:
        assert shown == text


def test_what_may_begin_a_stop_string_is_held_back_until_it_is_certain():
    stream = TextStream(TOKENIZER, ["\nUser:"])
    parts = pushed(stream, ids_of("Hi\nUs all"))
    assert parts == ["H", "i", "", "", "", "\nUs ", "a", "l", "l", ""]


@pytest.mark.parametrize("text", ["done\nUser", "done\n"])
def test_held_text_is_given_at_the_end(text):
    assert "".join(pushed(TextStream(TOKENIZER, ["\nUser:"]), ids_of(text))) == text


def test_control_tokens_have_no_text():
    end = TOKENIZER.token_to_id("<|end|>")
    assert "".join(pushed(TextStream(TOKENIZER), [*ids_of("a"), end, *ids_of("b")])) == "ab"
