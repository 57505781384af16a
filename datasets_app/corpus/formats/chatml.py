"""ChatML: turns between the marks that many models are trained with."""

from __future__ import annotations

import re
from collections.abc import Iterator

from datasets_app.corpus.conversation import ASSISTANT, SYSTEM, USER, Turn
from datasets_app.corpus.detection.text_head import TextHead
from datasets_app.corpus.formats.format import Format, Reader
from datasets_app.corpus.parsing import own
from datasets_app.corpus.parsing.casting import cast
from datasets_app.corpus.parsing.lines import Line, split_lines
from datasets_app.corpus.parsing.said import Said
from datasets_app.corpus.readers.job import Job, decoded, sample
from datasets_app.corpus.readers.talk import Talk
from datasets_app.corpus.roles import role_of
from datasets_app.corpus.source import Gap, Item, Problem

OPEN, CLOSE, END = "<|im_start|>", "<|im_end|>", "<|endoftext|>"
HEADER = re.compile(r"(?P<role>[^\n]*?)(?P<weight> weight=0)?\Z")


def tell(head: TextHead) -> str | None:
    """Say why a text is ChatML."""
    return "it begins with a mark of ChatML" if head.text.lstrip().startswith(OPEN) else None


class _Reading:
    """The conversation being read; `is_open` while somebody speaks."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.has_ends = f"{CLOSE}\n{END}" in job.head_text.replace("\r\n", "\n")
        self.talk = Talk()
        self.is_open = self.is_over = self.was_blank = False

    def lines(self, line: Line) -> Iterator[Item]:
        """Add a line; yield the conversation before it, if one ended there."""
        text = decoded(line.data or b"").removesuffix("\n")
        for part in text.replace(CLOSE + OPEN, f"{CLOSE}\n{OPEN}").split("\n"):
            if not self.is_open and (self.is_over or self._begins(part)):
                yield from self.close()
            if not self._add(part):
                yield from self.close()
                message = f"Line {line.number}: this stands between two turns."
                place = (line.start, line.end, line.number, 1)
                yield Problem(*place, "missing_role", message, sample(part))
                return
        if self.talk.said or self.talk.start >= 0:
            self.talk.cover(line.start, line.end, line.number)
        else:
            yield Gap(line.start, line.end, "blank")

    def _begins(self, part: str) -> bool:
        """Say whether a new conversation begins here, where no mark ends the one before."""
        if self.has_ends or not part.startswith(OPEN) or not self.talk.said:
            return self.talk.is_full
        role = role_of(part.removeprefix(OPEN))
        is_answered = self.talk.said[-1][0].role == ASSISTANT
        return role == SYSTEM or (self.was_blank and role == USER and is_answered)

    def _add(self, part: str) -> bool:
        """Add a part of a line; False where it belongs to nobody."""
        if self.is_open:
            self.is_open = not part.endswith(CLOSE)
            self.talk.said[-1][1].append(own.with_marks(part.removesuffix(CLOSE)))
            return True
        self.was_blank = not part.strip()
        if part.startswith(OPEN):
            found = HEADER.match(part.removeprefix(OPEN))
            role = own.with_marks(found["role"]) if found else ""
            is_learnt = not (found and found["weight"])
            self.talk.said.append((Turn(role_of(role), "", is_learnt), []))
            self.is_open = True
        elif part.strip() == END:
            self.is_over = True
        return self.is_open or self.is_over or self.was_blank

    def close(self) -> Iterator[Item]:
        """Yield what was read so far."""
        turns = self.talk.turns()
        if turns and not self.has_ends:  # from elsewhere
            said = [Said("", one.text, one.role, one.is_learnt, is_arranged=True) for one in turns]
            turns = cast(said, self.job.roles, self.talk.notes)
        yield from self.talk.item(turns)
        self.talk, self.is_open, self.is_over = Talk(), False, False


def read(job: Job) -> Iterator[Item]:
    """Yield the conversations of a text in ChatML."""
    reading = _Reading(job)
    for line in split_lines(job.stream):
        yield from reading.lines(line)
    yield from reading.close()


FORMAT = Format(
    kind="chatml",
    name="ChatML",
    fits=("txt", "chatml"),
    reader=Reader("chatml", 1, read),
    of_text=tell,
)
