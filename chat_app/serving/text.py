"""Tokens to text while they come: whole characters only, and nothing of a stop string."""

from __future__ import annotations

from collections.abc import Sequence

from tokenizers import Tokenizer
from tokenizers.decoders import DecodeStream


class TextStream:
    """Turns the ids of one answer into certain text; all parts together are the answer's text."""

    def __init__(self, tokenizer: Tokenizer, stop: Sequence[str] = ()) -> None:
        self._tokenizer = tokenizer
        self._stream = DecodeStream(skip_special_tokens=True)
        self._stop = [text for text in stop if text]
        self._ids: list[int] = []
        self._decoded = ""  # what the stream was certain about
        self._sent = 0  # characters of it that were handed out
        self.stopped = False

    def push(self, token: int) -> str:
        """Add a token; return the text that can no longer change."""
        self._ids.append(token)
        self._decoded += self._stream.step(self._tokenizer, token) or ""
        self._cut_at_stop()
        held = 0 if self.stopped else self._held_back()
        return self._hand_out(len(self._decoded) - held)

    def finish(self) -> str:
        """Return what is left once no token follows, half characters included."""
        if not self.stopped:
            whole = self._tokenizer.decode(self._ids, skip_special_tokens=True)
            if whole.startswith(self._decoded):
                self._decoded = whole
            self._cut_at_stop()
        return self._hand_out(len(self._decoded))

    def _hand_out(self, end: int) -> str:
        start, self._sent = self._sent, max(end, self._sent)
        return self._decoded[start : self._sent]

    def _cut_at_stop(self) -> None:
        places = [self._decoded.find(text, self._sent) for text in self._stop]
        found = [place for place in places if place >= 0]
        if found and not self.stopped:
            self._decoded = self._decoded[: min(found)]
            self.stopped = True

    def _held_back(self) -> int:
        """Return the length of the longest end of the text that may begin a stop string."""
        open_text = self._decoded[self._sent :]
        longest = max((len(text) - 1 for text in self._stop), default=0)
        for length in range(min(longest, len(open_text)), 0, -1):
            if any(text.startswith(open_text[-length:]) for text in self._stop):
                return length
        return 0
