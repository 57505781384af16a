"""Markdown becomes HTML that says the same and does nothing."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from otto_web.lib import markdown
from otto_web.lib.markdown import ATTRIBUTES, TAGS, render
from tests.chat_app.payloads import PAYLOADS

NOTE = "not in what it knows"
LINK = 'target="_blank" rel="noopener noreferrer nofollow"'
TOLD = """\
Costs **$5** and `6 kg`.
Second line.

1. one 42
2. two

| what | price |
|------|------:|
| tent | 99 |

```python
days = 44 < 45
```
"""


class Seen(HTMLParser):
    """Collects tags with their attributes, and the text between them."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


def spans(text, *words):
    return tuple((text.index(word), text.index(word) + len(word)) for word in words)


def test_markup_is_shown_as_what_it_means():
    html = render(TOLD)
    assert "Costs <strong>$5</strong> and <code>6 kg</code>.<br>\nSecond line." in html
    assert "<ol>\n<li>one 42</li>" in html
    assert "<td>tent</td>\n<td>99</td>" in html
    assert '<pre tabindex="0"><code>days = 44 &lt; 45\n</code></pre>' in html
    assert render("# Head\n\n~~x~~ *y*\n> z").startswith("<p><strong>Head</strong></p>")
    assert render("one\ntwo  \n\nthree") == "<p>one<br>\ntwo</p>\n<p>three</p>"
    assert render("    no code") == "<p>no code</p>"


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("[a](https://x.y/z)", f'<a href="https://x.y/z" {LINK}>a</a>'),
        ("[a](mailto:a@x.y)", f'<a href="mailto:a@x.y" {LINK}>a</a>'),
        ("see http://x.y/a?b=1&c=2.", f'see <a href="http://x.y/a?b=1&amp;c=2" {LINK}>'),
        ("(https://x.y)", f'(<a href="https://x.y" {LINK}>https://x.y</a>)'),
        ("[a](/logout/)", "[a](/logout/)"),
        ("[a](//evil.example)", "[a](//evil.example)"),
        ("[a](ftp://x.y)", "[a](ftp://x.y)"),
        ("`https://x.y`", "<code>https://x.y</code>"),
        ("![a](https://x.y/a.png)", f'!<a href="https://x.y/a.png" {LINK}>a</a>'),
    ],
)
def test_links_go_where_they_say_or_are_none(text, html):
    assert html in render(text)
    assert "<img" not in render(text)


@pytest.mark.parametrize("payload", PAYLOADS)
@pytest.mark.parametrize("is_marked", [False, True])
def test_nothing_that_a_model_writes_becomes_more_than_text(payload, is_marked):
    marks = ((0, len(payload) // 2), (len(payload) // 2, len(payload))) if is_marked else ()
    seen = Seen(render(payload, marks, "<script>"))
    for tag, attributes in seen.tags:
        assert tag in TAGS
        assert set(attributes) <= ATTRIBUTES.get(tag, set()) | {
            "target",
            "rel",
            "title",
            "tabindex",
        }
        assert re.match("https?://|mailto:", attributes.get("href", "https://"))
        assert attributes.get("class", "markdown-table") in {
            "unsupported",
            "visually-hidden",
            "markdown-table",
        }


def test_marks_stand_where_they_stood_in_the_text():
    words = ("$5", "6 kg", "42", "99", "44")
    seen = render(TOLD, spans(TOLD, *words), NOTE)
    marked = re.findall(r'<mark class="unsupported">(.*?)<span', seen)
    assert marked == list(words)
    assert seen.count(f"({NOTE})") == len(words)
    assert "<strong><mark" in seen


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("3. of them", "3."),  # the number of a list is no text
        ("[tent](https://x.y/42)", "42"),  # nor is an address
        ("```price42\nx\n```", "42"),
    ],
)
def test_where_markup_would_hide_a_mark_the_text_stays_as_it_is(text, word):
    html = render(text, spans(text, word), NOTE)
    assert f'<mark class="unsupported">{word}<' in html
    assert Seen(html.replace(f" ({NOTE})", "")).text == text


def test_a_mark_goes_through_markup_and_references():
    text = "AT&amp;T has 5 **6** \\*7 kg"
    html = render(text, spans(text, "5 **6**", "7 kg"), NOTE)
    assert "<strong><mark" in html
    assert ">7 kg<" in html
    assert "AT&amp;T has" in html


def test_signs_that_cannot_be_seen_are_shown():
    assert render("a\u202eb\x07c\r\nd") == "<p>a[U+202E]b␇c<br>\nd</p>"


@pytest.mark.parametrize(
    "piece", ["[", "*a", "`a", "[a](", "**a **", ">", "|", "http://a.b/(", "a|b\n-|-\n", "&amp;"]
)
def test_what_closes_nothing_takes_no_time(piece):
    """Beyond a number of signs no markup is looked for, so the cost is bounded."""
    text = piece * (40_000 // len(piece))
    assert Seen(render(text)).tags is not None


def test_no_text_is_kept_after_it_was_rendered():
    kept = [name for name, one in vars(markdown).items() if hasattr(one, "cache_info")]
    assert kept == ["_reader"]  # which knows no text
