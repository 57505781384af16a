"""Cuts a conversation into what can be known from it: an answer, its question, the turn before."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from datasets_app.corpus.chunks.headings import markdown_headings, paths, rst_headings
from datasets_app.corpus.conversation import ASSISTANT, USER, Conversation, Turn
from datasets_app.corpus.pairs.page import plain
from datasets_app.corpus.split import Split, exact_key
from datasets_app.knowledge.scripts import unspaced_signs

WORDS_A_PIECE = 120
WORDS_A_PIECE_OF_A_PAGE, WORDS_OF_A_REST = 60, 12
SOURCE_JOINT = " — "
UNDERLINE = "=-~^\"'*+#`.:_"  # signs of a line below a heading
WORDS_OF_A_WHOLE_ANSWER = 240  # a longer one is cut into pieces like a passage
SIGNS_A_WORD = 12  # what is longer without a space counts as several words
LEANING_WORDS = 7  # a question of so few words may lean on the turn before it: “And in blue?”
LONGEST_GAP = 40  # signs of white space that are kept between two parts
LONGEST_QUESTION, LONGEST_CONTEXT = 2_000, 600

_WORD = re.compile(r"\S{1,40}")
# Of a page the end of a line ends a sentence only where something new begins below it.
_PAGE_SENTENCE = re.compile(
    r"\S.*?(?:(?<=[.!?…\u061f\u06d4])(?=\s)|[。！？\u0964]"
    r"|(?=\n[ \t]{0,20}(?:\n|[-*+|#>]|[0-9]{1,3}[.)][ \t]))|\Z)",
    re.DOTALL,
)
_TEMPLATE_LINK = re.compile(r"\[([^\]\n]{0,200})\]\(\{[^)\n]{0,300}\)")
_TEMPLATE = re.compile(
    r"\{%[ \t]*\w{1,40}[ \t]+\"([^\"\n%]{0,100})\"[ \t]*%\}"
    r"|\{%[^%\n]{0,300}%\}|\{\{[^}\n]{0,300}\}\}"
)
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,400}>")
_SENTENCE = re.compile(
    r"\S.*?(?:(?<=[.!?…\u061f\u06d4])(?=\s)|[。！？\u0964]|(?=\n)|\Z)", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Piece:
    """Something known. A piece of a passage has no question; `number` counts inside its row."""

    question: str
    context: str
    answer: str
    row: int
    row_hash: str
    number: int
    split: Split
    is_part: bool = False  # of an answer that was too long
    gap: str = ""  # what stood between it and the next part
    source: str = ""  # the page that it stands on, and the headings above it

    @property
    def texts(self) -> tuple[str, ...]:
        """Return what stands for the piece among vectors: by itself, and in its talk."""
        alone = self.question or without_marks(self.answer)
        if self.source and not self.question:
            alone = f"{topic_of(self.source)}. {alone}"
        if self.question and self.is_part:
            alone = f"{self.question} {self.answer}"
        in_talk = asked(alone, self.context)
        return (alone,) if in_talk == alone else (alone, in_talk)


@dataclass(frozen=True, slots=True)
class Row:
    """A version's row on its way into knowledge; `position` orders the rows."""

    position: int
    pk: int
    row_hash: str
    split: Split
    conversation: Conversation
    page: str = ""  # the title of the document that it was made from
    above: tuple[str, ...] = ()  # the headings above its beginning


def asked(question: str, context: str) -> str:
    """Return the text whose vector stands for a question: a short one brings the turn before it."""
    return f"{context[:LONGEST_CONTEXT]} {question}" if leans(question, context) else question


def leans(question: str, context: str) -> bool:
    """Return whether a question is too short to be understood without the turn before it."""
    return bool(context) and words_in(question) <= LEANING_WORDS


def answer_key(answer: str) -> int:
    """Return a number, equal for answers that differ in case, spaces and punctuation only."""
    return int(exact_key(Conversation((Turn(ASSISTANT, answer),)))[:16], 16)


def pieces_of(row: Row) -> Iterator[Piece]:
    """Yield what can be known from a row, in its order; nothing where nobody answers."""
    number = 0
    for question, context, answer in _exchanges(row.conversation):
        is_whole = bool(question) and words_in(answer) <= WORDS_OF_A_WHOLE_ANSWER
        if is_whole:
            parts = iter([(source_of(row.page, row.above), answer, "")])
        else:
            parts = _parts(row, answer, is_asked=bool(question))
        for source, part, gap in parts:
            yield Piece(
                question=_cut_short(question, LONGEST_QUESTION),
                context=_cut_short(context, LONGEST_CONTEXT),
                answer=part,
                row=row.pk,
                row_hash=row.row_hash,
                number=number,
                split=row.split,
                is_part=bool(question) and not is_whole,
                gap=gap,
                source=source,
            )
            number += 1


def _parts(row: Row, text: str, *, is_asked: bool) -> Iterator[tuple[str, str, str]]:
    """Yield where a part of a long text stands, the part, and the gap before the next."""
    if is_asked or not row.page:
        source = source_of(row.page, row.above)
        yield from ((source, part, gap) for part, gap in passage_pieces(text))
        return
    for above, section in _sections(text, row.above):
        source = source_of(row.page, above)
        for part, gap in _page_pieces(_tidy(section)):
            yield source, part, gap


def _page_pieces(text: str) -> Iterator[tuple[str, str]]:
    """Yield the text in short pieces, cut between sentences, each with the gap before the next.

    Lines that only go on are no ends of sentences; a short rest goes with the piece before it.
    """
    most = WORDS_A_PIECE_OF_A_PAGE
    spans: list[tuple[int, int]] = []
    for start, end in _sentences(text, most, _PAGE_SENTENCE):
        if spans and words_in(text[spans[-1][0] : end]) <= most:
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
    if len(spans) > 1 and words_in(text[slice(*spans[-1])]) < WORDS_OF_A_REST:
        spans[-2:] = [(spans[-2][0], spans[-1][1])]
    for number, (start, end) in enumerate(spans):
        part = text[start:end].strip()
        if any(map(str.isalnum, part)):
            after = spans[number + 1][0] if number + 1 < len(spans) else start + len(part)
            yield part, text[start + len(part) : after][:LONGEST_GAP]


def _tidy(text: str) -> str:
    """Return a text of a page without what only its generator and browsers read."""
    text = _TEMPLATE_LINK.sub(r"\1", text)
    text = _TEMPLATE.sub(_argument, text)
    return _TAG.sub(" ", text)


def _argument(tag: re.Match[str]) -> str:
    """Return what a tag of a template names: a channel, a picture; nothing where it names none."""
    return tag[1] or ""


def _sections(text: str, above: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield what stands below each heading of a page, without the heading, and those above it."""
    headings = markdown_headings(text) or rst_headings(text)
    edges = [(0, above), *paths(headings), (len(text), ())]
    for number, (start, path) in enumerate(edges[:-1]):
        section = text[start : edges[number + 1][0]]
        if number:
            _, _, section = section.partition("\n")
            line, _, behind = section.partition("\n")
            section = behind if line.strip() and not line.strip(UNDERLINE) else section
        if section.strip():
            yield path, section


def source_of(page: str, above: Iterable[str]) -> str:
    """Return in words where something stands; empty where nobody knows."""
    told = dict.fromkeys(filter(None, map(plain, (page, *above)))) if page else {}
    return SOURCE_JOINT.join(told)


def topic_of(source: str) -> str:
    """Return the page and the nearest heading of a source."""
    page, *above = source.split(SOURCE_JOINT)
    return f"{page}. {above[-1]}" if above else page


def without_marks(text: str) -> str:
    """Return the words of a text without its marks of Markdown."""
    return plain(text) or text


def words_in(text: str) -> int:
    """Return about how many words a text has, also where a script puts no spaces between them."""
    return max(len(text.split()) + unspaced_signs(text) // 2, len(text) // SIGNS_A_WORD)


def passage_pieces(text: str, most: int = WORDS_A_PIECE) -> Iterator[tuple[str, str]]:
    """Yield the text in pieces of at most so many words, each with the gap before the next.

    It is cut between sentences where it can be.
    """
    start = end = 0
    for sentence_start, sentence_end in _sentences(text, most):
        if end and words_in(text[start:sentence_end]) > most:
            part = text[start:end].strip()
            yield part, text[start + len(part) : sentence_start][:LONGEST_GAP]
            end = 0
        start = start if end else sentence_start
        end = sentence_end
    if end:
        yield text[start:end].strip(), ""


def _exchanges(conversation: Conversation) -> Iterator[tuple[str, str, str]]:
    """Yield question, turn before it and answer of each exchange; a passage has only an answer."""
    if conversation.is_passage:
        yield "", "", conversation.turns[0].text
        return
    before, questions, answers = "", list[str](), list[str]()
    learnt = (turn for turn in conversation.turns if turn.is_learnt)
    for role, text in ((turn.role, turn.text.strip()) for turn in learnt):
        if role == USER:
            if answers:
                yield from _told(questions, before, answers)
                before, questions, answers = answers[-1], [], []
            questions.append(text)
        elif role == ASSISTANT and questions:
            answers.append(text)
        elif role == ASSISTANT:
            before = text  # a greeting: nobody asked yet
    yield from _told(questions, before, answers)


def _told(questions: list[str], before: str, answers: list[str]) -> Iterator[tuple[str, str, str]]:
    question, answer = "\n".join(filter(None, questions)), "\n".join(filter(None, answers))
    if question and answer:
        yield question, before, answer


def _sentences(
    text: str, most: int, pattern: re.Pattern[str] = _SENTENCE
) -> Iterator[tuple[int, int]]:
    """Yield the places of sentences, and of the words of one that is longer than a piece may be."""
    for sentence in pattern.finditer(text):
        if words_in(sentence.group()) <= most:
            yield sentence.span()
        else:
            yield from (word.span() for word in _WORD.finditer(text, *sentence.span()))


def _cut_short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
