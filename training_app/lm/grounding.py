"""Known answers in a prompt: the same words in training, in evaluation and in serving."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from datasets_app.corpus.conversation import SYSTEM, USER, Turn
from datasets_app.knowledge.pieces import Piece
from training_app.lm.template import Prompt, Template

INSTRUCTION = "Answer the question from the known answers. If they do not hold the answer, say so."


@dataclass(frozen=True, slots=True)
class Source:
    """What is known: an answer with the question it was given to, or a passage of a page."""

    answer: str
    question: str = ""
    page: str = ""  # where it stands: a title, and the headings above it

    def as_text(self) -> str:
        """Return the source as a prompt shows it."""
        if self.question:
            return f"Q: {self.question}\nA: {self.answer}"
        return f"{self.page}:\n{self.answer}" if self.page else self.answer


def source_of(piece: Piece) -> Source:
    """Return a piece as a prompt shows it."""
    return Source(piece.answer, piece.question, piece.source)


def grounded(turns: Sequence[Turn], sources: Sequence[Source]) -> tuple[Turn, ...]:
    """Return the turns with what is known in front of the last question, the nearest next to it.

    `sources` come nearest first. INSTRUCTION is the system prompt where there is none. Raises
    ValueError where the last turn is no question.
    """
    *before, question = turns
    if question.role != USER:
        raise ValueError("only a question can be answered from what is known")
    known = "\n\n".join(source.as_text() for source in reversed(sources)) or "none"
    text = f"Known answers:\n\n{known}\n\nQuestion: {question.text}"
    head = () if before and before[0].role == SYSTEM else (Turn(SYSTEM, INSTRUCTION),)
    return (*head, *before, replace(question, text=text))


def grounded_prompt(
    template: Template, turns: Sequence[Turn], sources: Sequence[Source], *, budget: int
) -> tuple[Prompt, int]:
    """Return the prompt of at most `budget` ids, and how many of the nearest sources it holds.

    Old turns go first, then the farthest sources, and only then the beginning of the question.
    """
    for count in range(len(sources), 0, -1):
        prompt = template.prompt(grounded(turns, sources[:count]), budget=budget)
        if not prompt.cut_tokens:
            return prompt, count
    return template.prompt(grounded(turns, ()), budget=budget), 0
