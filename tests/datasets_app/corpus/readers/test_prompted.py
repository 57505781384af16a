"""Passages become conversations by phrasings of a person, the same ones for the same seed."""

from __future__ import annotations

import pytest

from datasets_app.corpus.conversation import CorpusError, Turn
from datasets_app.corpus.detection.kinds import identify
from datasets_app.corpus.readers.prompted import PHRASINGS, File, Passages
from datasets_app.corpus.readers.reading import Asked, read, read_document
from datasets_app.corpus.source import Gap, Mapping, Record

PAGE = """<!doctype html><html><head><title>Help</title></head><body><main>
<h1>Help of the shop</h1><p>{0}</p><h2>Returns</h2><p>{1}</p>
<ul><li>unused</li><li>with its box</li></ul>
<h2>Where do you ship to?</h2><p>To all of Europe, and to Norway.</p></main></body></html>"""
FIRST = "Parcels leave our warehouse on the day of the order. " * 4
SECOND = "Send it back within thirty days, and the money is with you after one more week. " * 3


def items(*records):
    yield Gap(0, 1)
    yield from records


def passage(text, start=1, **meta):
    return Record(start, start + len(text), (Turn("text", text),), meta=meta)


def turns_of(passages, *records, name="opening-hours.txt"):
    told = passages.told(items(*records), File(name))
    return [item.turns for item in told if isinstance(item, Record)]


def test_the_topic_is_the_heading_else_the_title_else_the_name_of_the_file():
    asks = Passages(("What about {{topic}}?",))
    (one,), (two,), (three,) = (
        turns_of(asks, passage("## Returns\n\nWithin thirty days.", title="Help")),
        turns_of(asks, passage("Within thirty days.", title="Help")),
        turns_of(asks, passage("From nine to six.")),
    )
    assert one == (
        Turn("user", "What about Returns?"),
        Turn("assistant", "Within thirty days."),
    )
    assert two[0].text == "What about Help?"
    assert three[0].text == "What about opening hours?"


def test_the_same_seed_gives_the_same_questions_and_another_one_others():
    records = [passage(f"Text {n} is long enough.", n * 100 + 1, title=f"T{n}") for n in range(60)]
    first = turns_of(Passages(PHRASINGS, 7), *records)
    assert turns_of(Passages(PHRASINGS, 7), *records) == first
    assert turns_of(Passages(PHRASINGS, 8), *records) != first
    alone = turns_of(Passages(PHRASINGS, 7), records[30])
    assert alone == first[30:31]  # whatever stands before it
    said = {turns[0].text.replace(f"T{n}", "*").replace(f"t{n}", "*")
            for n, turns in enumerate(first)}  # fmt: skip
    assert len(said) > len(PHRASINGS) // 2


def test_a_phrasing_whose_place_is_empty_gives_way_and_without_any_it_stays_a_passage():
    asks = Passages(("{{heading}}?", "What is in {{title}}?"))
    assert turns_of(asks, passage("From nine.", title="Help"))[0][0].text == "What is in Help?"
    assert turns_of(asks, passage("From nine."))[0] == (Turn("text", "From nine."),)
    assert turns_of(asks, passage("# Only a heading"))[0][0].role == "text"


def test_structure_goes_where_it_is_not_wanted():
    text = "## Returns\n\n- unused\n- in its box\n1. first\n\n\n\n```\ncode - x\n```"
    (plain,) = turns_of(Passages((), is_plain=True), passage(text))
    assert plain == (Turn("text", "Returns\n\nunused\nin its box\nfirst\n\ncode - x"),)
    assert turns_of(Passages(()), passage(text)) == [(Turn("text", text),)]


@pytest.mark.parametrize(
    ("prompts", "words"),
    [(("{{titel}}?",), "Line 1: .*Did you mean “title”"), (("{{title}}", "Why?"), "Line 2")],
)
def test_an_unknown_place_is_named_with_its_line(prompts, words):
    with pytest.raises(CorpusError, match=words):
        Passages(prompts)


def test_conversations_are_left_as_they_are():
    talk = Record(1, 9, (Turn("user", "Hm?"), Turn("assistant", "Yes.")))
    assert turns_of(Passages(PHRASINGS), talk) == [talk.turns]


def test_what_is_stored_with_a_file_comes_back():
    asks = Passages(("{{title}}?",), 3, is_plain=True)
    stored = Mapping(passages=asks.as_json())
    assert Passages.of(Mapping.from_json(stored.as_json())) == asks
    assert Passages.of(Mapping(question="a", answer="b")) is None
    assert Passages.of(None) is None
    assert stored.sha256 != Mapping(passages=Passages().as_json()).sha256


@pytest.mark.slow
def test_one_page_becomes_many_conversations_and_none_of_its_text_is_lost(tmp_path):
    path = tmp_path / "page.html"
    path.write_text(PAGE.format(FIRST, SECOND), "utf-8")
    asks = Passages(("{{heading}}?",))
    kept_apart = list(
        asks.told(read_document(path, "html", Asked(is_apart=True)), File("page.html"))
    )
    found = [item for item in kept_apart if isinstance(item, Record)]
    asked = [record.turns[0].text for record in found]
    assert asked == ["Help of the shop?", "Returns?", "Where do you ship to?"]
    assert found[1].turns[1].text.endswith("- unused\n- with its box")
    together = [item for item in read_document(path, "html", Asked()) if isinstance(item, Record)]
    assert len(together) == 2


def test_sections_of_markdown_are_kept_apart_too(tmp_path):
    path = tmp_path / "help.md"
    path.write_text(f"# Help\n\n{FIRST}\n\n## Returns\n\n{SECOND}\n\nAnd more.\n", "utf-8")
    known = identify(path, "help.md")
    apart = [item for item in read(path, known, is_apart=True) if isinstance(item, Record)]
    assert [record.turns[0].text.split("\n")[0] for record in apart] == ["# Help", "## Returns"]
    assert len([item for item in read(path, known) if isinstance(item, Record)]) == 1
