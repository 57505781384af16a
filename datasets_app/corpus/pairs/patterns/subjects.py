"""What a paragraph is about: its first sentence begins with what it tells of."""

from __future__ import annotations

from collections.abc import Iterator

from datasets_app.corpus.pairs.grammar import BE, MODALS, asked, subject_of
from datasets_app.corpus.pairs.page import Page
from datasets_app.corpus.pairs.pattern import Found, Pattern

LEAST, MOST = 120, 700  # characters of the paragraph
LEAST_SENTENCES = 2
VERBS = frozenset(
    "has have had does do provides provide includes include requires require supports support uses "
    "use works work allows allow helps help covers cover offers offer contains contain consists "
    "consist serves serve manages manage handles handle means refers follows follow takes take "
    "makes make gives give needs need applies apply ensures ensure describes describe returns "
    "began became was were came went led made took held won lost died lived moved left received "
    "established founded created built published wrote".split()
)
VAGUE = frozenset("thing way people reason problem point case part time lot rest goal idea".split())


def find(page: Page) -> Iterator[Found]:
    """Yield a question for each paragraph of some sentences whose subject can be named."""
    seen: set[str] = set()
    for block in page.blocks:
        if block.kind != "paragraph" or not LEAST <= block.end - block.start <= MOST:
            continue
        found = page.sentences(block)
        is_whole = found and found[0].start <= block.start + 3 and found[-1].end >= block.end - 2
        if not is_whole or len(found) < LEAST_SENTENCES or found[-1].text.endswith(":"):
            continue
        subject = _subject(page, found[0].text.split())
        if subject is None or subject in seen:
            continue
        seen.add(subject)
        question = asked(f"What should I know about {subject}")
        if question:
            yield Found(question, block.start, block.end)


def _subject(page: Page, words: list[str]) -> str | None:
    low = [word.lower() for word in words]
    verbs = BE | MODALS.keys() | VERBS
    at = next((n for n, word in enumerate(low[:9]) if word in verbs), 0)
    subject = subject_of(page, words[:at]) if at else None
    if subject is None or low[at - 1] in VAGUE or (" " not in subject and subject.islower()):
        return None
    return subject


PATTERN = Pattern(
    name="subjects",
    label="What a paragraph is about",
    sentence="A paragraph whose first sentence names what it tells of: asks about that.",
    example=(
        (
            "The night desk is open from eight to six. It keeps the keys of all rooms, and it "
            "takes calls for all those who are away."
        ),
        "What should I know about the night desk?",
    ),
    find=find,
)
