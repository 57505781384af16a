"""Starting templates of the one-click loop: settings that suit a purpose, in a sentence each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Starter:
    """A purpose: what comes of it, which files it wants, and what the form begins with."""

    title: str
    sentence: str
    files: str
    values: dict[str, Any] = field(default_factory=dict)


# Chosen by hand: lengths after what people read there, chunks after how such documents are divided.
STARTERS: dict[str, Starter] = {
    "support": Starter(
        "Customer support",
        "Answers customers in the style of your team, from what it answered before.",
        "Chats, tickets or mails: CSV, JSON, exports of a helpdesk.",
        {"epochs": 3, "batch_size": 4, "max_tokens": 120},
    ),
    "faq": Starter(
        "FAQ",
        "Gives the answer of your list of questions, however they are asked.",
        "Pages with question headings, tables or CSV files with a question and an answer.",
        {"epochs": 3, "batch_size": 4, "max_tokens": 100},
    ),
    "domain": Starter(
        "Domain assistant",
        "Answers from a handbook, policy or manual, in its own words and with its place.",
        "md, rst, html, pdf, docx or txt: choose them under “Begin with documents instead”.",
        {"chunk_size": 1000, "questions": 3, "threshold": 7.0, "max_tokens": 160},
    ),
    "tutorial": Starter(
        "Tutorial",
        "Explains step by step, so its replies may be long.",
        "Lessons, guides and how-to pages as md, rst, html or pdf.",
        {"chunk_size": 1500, "questions": 4, "threshold": 7.0, "max_tokens": 300},
    ),
    "long": Starter(
        "Long documents",
        "Looks back over as much as it can, for reports and books.",
        "pdf, docx or txt of many pages.",
        {
            "chunk_size": 2000,
            "questions": 3,
            "threshold": 7.0,
            "max_length": 1024,
            "max_tokens": 300,
        },
    ),
    "calls": Starter(
        "Call transcripts",
        "Speaks as your agents do on the phone: short turns.",
        "Transcripts with names of speakers, srt or vtt.",
        {"epochs": 3, "batch_size": 4, "max_tokens": 60},
    ),
}


def starter_values(name: str) -> dict[str, Any]:
    """Return what the form begins with for this purpose; nothing for an unknown one."""
    return dict(STARTERS[name].values) if name in STARTERS else {}
