"""A layout in which rows go out: questions and answers for a web page."""

from __future__ import annotations

from html import escape

from datasets_app.corpus.conversation import ASSISTANT, USER, Conversation, Turn
from datasets_app.corpus.layouts.layout import Layout, Row
from datasets_app.corpus.layouts.registry import LAYOUTS


def definition(row: Row) -> str:
    """Return a row as terms and their definitions."""
    names = {USER: "dt", ASSISTANT: "dd"}
    turns = [turn for turn in row.conversation.turns if turn.role in names]
    return "".join(f"<{names[one.role]}>{escape(one.text)}</{names[one.role]}>" for one in turns)


LAYOUT = Layout(
    words="Web page",
    about="questions and answers as a list of definitions",
    suffix="html",
    content_type="text/html; charset=utf-8",
    write=definition,
    head="<dl>\n",
    between="\n",
    tail="\n</dl>\n",
)
LAYOUTS["web"] = LAYOUT  # in the house: a line of datasets_app/corpus/layouts/registry.py

talk = Conversation((Turn(USER, "Is 3 < 4?"), Turn(ASSISTANT, "Yes.")))
print("".join(LAYOUTS["web"].text([Row(1, talk)])))
