"""XML and Parquet: feeds, questions and talks in elements, and rows with lists in them."""

from __future__ import annotations

import duckdb
import pytest

from datasets_app.corpus.limited.run import ChildError
from datasets_app.corpus.source import WaitingError

pytestmark = pytest.mark.slow  # each file is read by a process of its own
HEAD = '<?xml version="1.0"?>'
RSS = """<?xml version="1.0"?><rss xmlns:content="urn:c"><channel><title>News</title>
<item><title>New lamp</title><link>http://lamp.example/1</link><description>short</description>
<content:encoded><![CDATA[<p>A <b>new</b> lamp.</p><p>Buy it.</p>]]></content:encoded></item>
<item><title>How do I clean it?</title><description>With &lt;i&gt;water&lt;/i&gt;.</description>
</item></channel></rss>"""
ATOM = (
    f'{HEAD}<feed xmlns="http://www.w3.org/2005/Atom"><entry><title>One</title>'
    '<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">First <b>and</b> second</div>'
    "</content></entry></feed>"
)


def pairs(*told: tuple[str, str]) -> list[list[tuple[str, str]]]:
    return [[("user", asked), ("assistant", answer)] for asked, answer in told]


@pytest.mark.checklist(269)
def test_entries_of_a_feed_are_texts_and_questions_with_answers(read_doc):
    found = read_doc(RSS.encode(), "a.xml")
    assert found.talks == [
        [("text", "# New lamp\n\nA new lamp.\nBuy it.")],
        *pairs(("How do I clean it?", "With water.")),
    ]
    assert found.records[0].meta["link"] == "http://lamp.example/1"
    assert read_doc(ATOM.encode(), "a.atom").text == "# One\n\nFirst and second"


ENTRIES = """<faqs><topic name='Post'>
<entry><question>Where?</question><answer>Here &lt;b&gt;it&lt;/b&gt; is.</answer></entry>
<entry><question>When?</question><answer>Now.</answer></entry></topic></faqs>"""
IN_TURN = "<faq><q>Where?</q><a>Here it is.</a><q>When?</q><a>Now.</a></faq>"
TURNS = """<all>
<dialog><turn speaker='user'>Where?</turn><turn speaker='system'>Here it is.</turn></dialog>
<dialog><turn speaker='user'>When?</turn><turn speaker='system'>Now.</turn></dialog></all>"""
SPOKEN = """<chat><customer>Where?</customer><agent>Here it is.</agent>
<customer>When?</customer><agent>Now.</agent></chat>"""
TWO = pairs(("Where?", "Here it is."), ("When?", "Now."))


@pytest.mark.parametrize(
    ("body", "talks"),
    [(ENTRIES, TWO), (IN_TURN, TWO), (TURNS, TWO), (SPOKEN, [[*TWO[0], *TWO[1]]])],
)
def test_questions_and_talks_are_found_in_elements(read_doc, body, talks):
    assert read_doc(f"{HEAD}{body}".encode(), "a.xml").talks == talks


def test_text_messages_of_a_phone_are_one_talk_with_each_person(read_doc):
    body = "".join(
        f'<sms address="+49{who}" date="{n}" type="{kind}" body="{text}" contact_name="{name}"/>'
        for n, (who, kind, text, name) in enumerate(
            [
                (1, 1, "Hi", "Dora"),
                (2, 1, "Lamp?", "Max"),
                (1, 2, "Hello", "Dora"),
                (2, 2, "Y", "M"),
            ]
        )
    )
    with pytest.raises(WaitingError) as caught:
        read_doc(f'{HEAD}<smses count="4">{body}</smses>'.encode(), "sms.xml")
    assert {one.name for one in caught.value.waiting.speakers} == {"this phone", "Dora", "Max"}
    assert caught.value.waiting.talks == 2


@pytest.mark.parametrize("name", ["utf-8", "utf-16", "windows-1251"])
def test_xml_is_read_in_its_own_encoding(read_doc, name):
    text = (
        f'<?xml version="1.0" encoding="{name}"?><faq><q>Кто там?</q><a>Это я.</a><q>Где?</q></faq>'
    )
    assert read_doc(text.encode(name), "a.xml").talks == pairs(("Кто там?", "Это я."))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('<!DOCTYPE l [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><l>&b;</l>', "can be a trap"),
        ('<!DOCTYPE l [<!ENTITY a SYSTEM "file:///etc/passwd">]><l>&a;</l>', "can be a trap"),
        ("<faq><q>A?</q><a>B.</a><q>C?</q><a>cut", "damaged in line 1"),
    ],
)
def test_traps_and_damage_are_refused_in_a_sentence(read_doc, body, words):
    with pytest.raises(ChildError, match=words):
        read_doc(f"{HEAD}{body}".encode(), "a.xml")


def test_a_drawing_is_an_image(kind_of):
    assert kind_of(f'{HEAD}<svg xmlns="x"><text>a</text></svg>', "a.svg").kind == "image"


@pytest.fixture
def parquet(tmp_path):
    """Return a function that writes what a query gives as a Parquet file."""

    def written(query: str, options: str = "") -> bytes:
        path = tmp_path / "made.parquet"
        duckdb.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet {options})")
        return path.read_bytes()

    return written


def test_rows_of_parquet_hold_pairs_messages_and_structs(read_doc, parquet):
    found = read_doc(parquet("SELECT 'Q' || i question, 'A' || i answer FROM range(3) t(i)"), "a")
    assert found.talks == pairs(("Q0", "A0"), ("Q1", "A1"), ("Q2", "A2"))
    assert (found.records[1].place, found.tally.loaded) == ("row 2", 3)
    messages = (
        "SELECT [{'role': 'user', 'content': 'Hi'}, {'role': 'assistant', 'content': 'Yes.'}] "
        "messages, {'at': timestamp '2026-01-02 03:04:05', 'eur': 1.50::decimal(4, 2)} more, "
        "'x'::blob picture, 'nan'::double odd"
    )
    found = read_doc(parquet(messages, ", COMPRESSION zstd"), "a.parquet")
    assert found.talks == pairs(("Hi", "Yes."))
    assert found.records[0].meta == {
        "more": {"at": "2026-01-02 03:04:05", "eur": "1.50"},
        "picture": None,
        "odd": None,
    }


def test_unknown_columns_of_parquet_are_asked_for_and_damage_is_told(read_doc, parquet):
    data = parquet("SELECT 'a' AS left_side, 'b' AS right_side FROM range(9)")
    with pytest.raises(WaitingError) as caught:
        read_doc(data, "a.parquet")
    assert caught.value.waiting.columns == ("left_side", "right_side")
    for broken in (data[:-20], b"PAR1" + bytes(50), data[:30] + bytes(20) + data[50:]):
        with pytest.raises(ChildError, match="damaged"):
            read_doc(broken, "a.parquet", "parquet")
