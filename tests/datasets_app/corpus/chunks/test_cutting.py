"""Every chunk is a place of the text, nothing that says something is lost, and time is bounded."""

from __future__ import annotations

import json
from itertools import pairwise, zip_longest

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import ByteLevelBPETokenizer, Tokenizer

from datasets_app.corpus.chunks import layout
from datasets_app.corpus.chunks.cutting import cut
from datasets_app.corpus.chunks.headings import markdown_headings
from datasets_app.corpus.chunks.settings import (
    CHARACTER,
    HEADINGS,
    MARKDOWN,
    RECURSIVE,
    STRATEGIES,
    TOKENS,
    ChunkError,
    Settings,
)

GUIDE = (
    "Welcome.\n\n# Orders\n\nAsk early.\n\n## Paying\n\nBy card.\n\n# Returns\n\nIn thirty days."
)
ODD = st.sampled_from(
    [
        "👩‍👩‍👧",
        "e\u0301\u0302",
        "a" * 90,
        "\r\n",
        "\n\n",
        " ",
        "\t",
        "。",
        "# x\n",
        "```\n",
        "- ",
        "\u2028",
    ]
)
TEXTS = st.lists(st.one_of(ODD, st.text(max_size=20)), max_size=40).map("".join)


@given(TEXTS, st.sampled_from([*STRATEGIES]), st.integers(20, 120), st.data())
def test_chunks_are_places_of_the_text_in_its_order_and_nothing_is_lost(text, name, size, data):
    overlap = data.draw(st.integers(0, size - 1))
    cuts = cut(text, Settings(name, size, overlap=overlap), markdown_headings(text))
    covered = set()
    for one, following in zip_longest(cuts, cuts[1:]):
        assert 0 <= one.start < one.end <= len(text)
        assert text[one.start : one.end].strip()
        assert one.end - one.start <= size
        covered.update(range(one.start, one.end))
        if following:
            assert one.start < following.start
            assert one.end < following.end
    assert not [sign for at, sign in enumerate(text) if at not in covered and not sign.isspace()]


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_long_text_without_any_break_is_cut_in_time_that_grows_with_it(name):
    text = "x" * 200_000
    cuts = cut(text, Settings(name, overlap=0))
    assert (cuts[0].start, cuts[-1].end) == (0, len(text))
    assert sum(one.end - one.start for one in cuts) == len(text)


def test_what_repeats_is_no_more_than_the_overlap():
    text = " ".join(f"word{number}" for number in range(2_000))
    for name in (RECURSIVE, CHARACTER, MARKDOWN):
        cuts = cut(text, Settings(name, 300, overlap=60))
        pairs = pairwise(cuts)
        assert all(0 < one.end - other.start <= 60 for one, other in pairs)


def test_headings_stand_with_what_is_below_them_and_a_bare_one_goes_with_the_next():
    headings = markdown_headings(GUIDE)
    cuts = cut(GUIDE, Settings(HEADINGS, 200, overlap=0), headings)
    assert [(GUIDE[one.start : one.end], one.headings) for one in cuts] == [
        ("Welcome.", ()),
        ("# Orders\n\nAsk early.", ("Orders",)),
        ("## Paying\n\nBy card.", ("Orders", "Paying")),
        ("# Returns\n\nIn thirty days.", ("Returns",)),
    ]
    bare = "# Orders\n\n## Paying\n\nBy card."
    (only,) = cut(bare, Settings(HEADINGS, 200, overlap=0), markdown_headings(bare))
    assert (only.start, only.end) == (0, len(bare))


def test_an_overlap_does_not_lend_a_chunk_the_heading_before_it():
    text = "# One\n\n" + "First words stay here. " * 4 + "\n\n# Two\n\n" + "Second words. " * 8
    cuts = cut(text, Settings(CHARACTER, 100, overlap=50), markdown_headings(text))
    at = text.index("# Two")
    fresh = next(one for one in cuts if one.end > at)
    assert fresh.start < at
    assert fresh.headings == ("Two",)


def test_a_sign_keeps_its_accents_where_pieces_have_one_length():
    text = ("e\u0301" * 15 + "👩‍👩‍👧") * 10
    cuts = cut(text, Settings(CHARACTER, 20, overlap=0))
    assert not [one for one in cuts if text[one.start] in "\u0301\u200d"]


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    """Give the file of a small tokenizer of bytes, with merges learned from a few sentences."""
    found = ByteLevelBPETokenizer()
    found.train_from_iterator([GUIDE, "Every word of the house."], vocab_size=300)
    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    found.save(str(path))
    return path


@pytest.mark.parametrize("name", STRATEGIES)
@pytest.mark.parametrize("text", [GUIDE * 6, "x" * 900, "👩‍👩‍👧" * 40, "   \n one  two   "])
def test_chunks_may_be_measured_in_tokens_of_a_tokenizer(name, text, tokenizer):
    counted = Tokenizer.from_file(str(tokenizer))
    cuts = cut(text, Settings(name, 30, TOKENS, 5, "a"), tokenizer=tokenizer)
    covered = {at for one in cuts for at in range(one.start, one.end)}
    assert not [sign for at, sign in enumerate(text) if at not in covered and not sign.isspace()]
    assert all(len(counted.encode(text[one.start : one.end]).ids) <= 30 for one in cuts)
    with pytest.raises(ChunkError, match="no longer there"):
        cut(text, Settings(name, 30, TOKENS, 5, "a"), tokenizer=tokenizer.with_name("gone"))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"overlap": 1000}, "The overlap is smaller than the chunk"),
        ({"size": 5, "overlap": 0}, "20 to 50,000"),
        ({"strategy": "semantic"}, "no strategy"),
        ({"unit": "words"}, "in characters or in tokens"),
        ({"unit": "tokens"}, "Choose the tokenizer"),
    ],
)
def test_settings_that_cannot_be_say_what_to_change(given, said):
    with pytest.raises(ChunkError, match=said):
        Settings(**given)


def test_an_order_repeats_half_of_a_chunk_at_most_and_what_is_brought_may_repeat_more():
    Settings(size=301, overlap=150).check_order()
    with pytest.raises(ChunkError, match="at most half of the chunk: 150 characters of 301"):
        Settings(size=301, overlap=151).check_order()
    told = {"metadata": {"chunk_size": 300, "chunk_overlap": 299}, "chunks": [{"content": "a"}]}
    brought = layout.read(json.dumps(told).encode(), "a_chunks.json").settings
    assert Settings.from_json(brought.as_json()).overlap == 299


def test_settings_come_back_from_what_is_stored():
    found = Settings(MARKDOWN, 300, "tokens", 30, "smol")
    assert Settings.from_json(found.as_json()) == found
    assert found.sha256 != Settings(MARKDOWN, 300, overlap=30).sha256
