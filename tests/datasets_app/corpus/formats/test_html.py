"""Web pages: their text and their questions, and what is around these and no text."""

from __future__ import annotations

import pytest

from datasets_app.corpus.limited.run import ChildError
from datasets_app.corpus.pages.page import Answered, Section, page_of
from datasets_app.corpus.pages.tree import DEEPEST, LONGEST

ARTICLE = """<!DOCTYPE html>
<html><head><meta charset="utf-8"><title>Help · Lamp Desk</title><style>p{color:red}</style>
<script>var a = "<p>never</p>"</script></head>
<body class="has-cookie-banner">
<div id="cookie-banner">We use cookies <button>Accept</button></div>
<header><a href="/">Lamp Desk</a><nav><ul><li><a>Home</a></li></ul></nav></header>
<div class="content with-sidebar"><div class="breadcrumbs">Home &gt; Help</div>
<h1>Returns <i>and</i> refunds</h1>
<p>Any lamp comes back within 30&nbsp;days; the desk is open from nine to five on all of them.</p>
<ul><li>Pack it</li><li><p>Print the <b>label</b></p>
<ol><li>Sign in</li><li>Choose</li></ol></li></ul>
<table><tr><th>Land</th><th>Days</th></tr><tr><td>Norway</td><td>30</td></tr></table>
<pre>  code
    here</pre>
<aside class="related-articles"><h3>Related</h3></aside>
<ul><li><a>One</a></li><li><a>Two</a></li><li><a>Three</a></li></ul>
<p style="display: none">secret</p><template>in no page</template><noscript>without</noscript>
</div><footer>2025</footer></body></html>"""


def answers(body: str) -> list[tuple[str, str]]:
    items = page_of(f"<html><body>{body}</body></html>").items
    return [(one.question, one.answer) for one in items if isinstance(one, Answered)]


@pytest.mark.checklist(57, 262, 263)
def test_a_page_gives_what_its_readers_see_and_nothing_around_it():
    page = page_of(ARTICLE)
    assert page.title == "Help · Lamp Desk"
    (section,) = page.items
    assert section == Section(
        "Returns and refunds",
        1,
        "Any lamp comes back within 30 days; the desk is open from nine to five on all of them."
        "\n\n- Pack it\n- Print the label\n  1. Sign in\n  2. Choose\n\nLand | Days\nNorway | 30"
        "\n\n```\n  code\n    here\n```",
    )
    assert page.text.startswith("# Returns and refunds\n\nAny lamp")
    assert page.left_out >= 6


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("<details><summary>Ab<i>road</i>?</summary><p>Yes.</p></details>", [("Abroad?", "Yes.")]),
        ("<h2>How? <a>¶</a></h2><p>So.<br>Then.</p><h3>Note</h3><p>x</p><h2>End</h2><p>no</p>",
         [("How?", "So.\nThen.\n\n### Note\n\nx")]),
        ("<dl><dt>What?</dt><dd>This.</dd><dt>Why?</dt><dd>That.</dd></dl>",
         [("What?", "This."), ("Why?", "That.")]),
        ("<dl><dt>Lumen</dt><dd>A measure.</dd></dl>", []),
        ("<p><strong>Card?</strong></p><p>Yes.</p><p><b>Cash?</b></p><p>No.</p>",
         [("Card?", "Yes."), ("Cash?", "No.")]),
        ("<p>Do you know <b>why?</b></p><p>No.</p>", []),
        ("<button aria-controls='p'>Warranty?</button><div id='p' hidden>Two years.</div>",
         [("Warranty?", "Two years.")]),
        ("<table><tr><th>Question</th><th>Answer</th></tr><tr><td>A?</td><td>B</td></tr></table>",
         [("A?", "B")]),
        ("<h1>Questions?</h1><p>All of them.</p><h2>One？</h2><p>1</p>", [("One？", "1")]),
        ("<h1>What is a lamp?</h1>" + "<p>A long article.</p>" * 800, []),
        (("<div itemtype='https://schema.org/Question'><h3 itemprop='name'>Late</h3><div "
          "itemprop='acceptedAnswer'><p itemprop='text'>Wait.</p></div></div>"),
         [("Late", "Wait.")]),
    ],
)  # fmt: skip
def test_questions_are_found_with_their_answers(body, expected):
    assert answers(body) == expected


def test_what_a_page_states_for_search_engines_is_read_once():
    stated = (
        '<script type="application/ld+json">{"@graph": [{"@type": "FAQPage", "mainEntity": ['
        '{"@type": "Question", "name": "Where is it?", "acceptedAnswer": {"text": "<p>See '
        '<a>here</a>.</p>"}}, {"@type": "Question", "name": "Broken"}]}]}</script>'
        '<script type="application/ld+json">{"@type": </script>'
    )
    shown = "<div class='q'>Where is it?</div><div>See here.</div>"
    assert answers(stated + shown) == [("Where is it?", "See here.")]
    assert len(page_of(f"{stated}{shown}").items) == 1
    folded = "<details><summary>Where is it?</summary>See here.</details>"
    assert answers(stated + folded) == [("Where is it?", "See here.")]


@pytest.mark.checklist(65)
@pytest.mark.parametrize("name", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1250"])
def test_a_page_is_read_in_its_own_encoding(name):
    text = "Příliš žluťoučký kůň pěl ďábelské ódy. " * 3
    page = page_of(f'<html><head><meta charset="windows-1250"></head><p>{text}'.encode(name))
    assert page.text == text.strip()


@pytest.mark.slow
def test_odd_signs_and_hostile_nests_cost_no_more_than_their_length():
    assert page_of("<p>a&nbsp;b &#x110000; \0&#0;</p>").text == "a b \ufffd \ufffd"
    deep = "<div>" * 20_000 + "words" + "</div>" * 20_000
    assert page_of(deep).text == "words"
    assert page_of("<ul><li>" * (2 * DEEPEST) + "end").text.endswith("end")
    page = page_of("<title>Long</title>" + f"<p>{'word ' * 300}</p>" * (LONGEST // 1_400))
    assert (page.title, page.text.count("word")) == ("Long", 300 * (LONGEST // 1_400))
    assert page_of(f"<p>a<img src='data:image/png;base64,{'A' * (LONGEST + 9)}'>b").text == "ab"


@pytest.mark.parametrize("source", ["", "<", "<!--", "\0", "<html><frameset>", "<p", "&#xD800;"])
def test_no_source_is_too_broken(source):
    assert page_of(source).text in {"", "\ufffd", "<"}


@pytest.mark.slow
def test_sections_are_passages_and_answers_rows(read_doc):
    body = "<h2>How?</h2><p>So.</p><h2>Contact</h2><p>x</p><h2>Hours</h2><p>" + "Nine to five. " * 9
    found = read_doc(ARTICLE.replace("</div><footer>", f"{body}</p></div><footer>").encode(), "a")
    assert [[role for role, _ in talk] for talk in found.talks] == [
        ["text"],
        ["user", "assistant"],
        ["text"],
    ]
    assert found.talks[1] == [("user", "How?"), ("assistant", "So.")]
    assert found.records[1].meta == {"title": "Help · Lamp Desk", "heading": "Returns and refunds"}
    assert found.records[1].place == "section 2 (“How?”)"
    assert found.tally.failed == 0
    assert found.tally.loaded == 3


@pytest.mark.slow
def test_a_page_of_scripts_says_what_to_do(read_doc):
    with pytest.raises(ChildError, match="without JavaScript"):
        read_doc(b"<html><body><div id=root></div><script>x()</script></body></html>")


def test_a_page_is_told_by_its_tags(kind_of):
    assert kind_of("<h1>Hi</h1><p>there", "a.html").kind == "html"
    assert kind_of("<h1>Hi</h1><p>there<br>", "a.txt").kind == "html"
    assert kind_of("a < b and nothing else", "a.html").kind == "txt"
    assert kind_of(ARTICLE, "a.txt").notes == ()
