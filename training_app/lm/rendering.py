"""A conversation as a chat template writes it, with what is the template's and what a person's."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from datasets_app.corpus.conversation import ASSISTANT, SYSTEM, USER, Turn
from training_app.lm.control_tokens import ControlTokens
from training_app.lm.guard import SandboxError
from training_app.lm.sandbox import ChatSource, RefusedError
from training_app.lm.template import TemplateError

ROLES = (SYSTEM, USER, ASSISTANT)
# Noncharacters: what stands for a turn's words, and what breaks a control token in them.
_STAND_IN = re.compile("\ufdd2([0-9]+)\ufdd3")
_MARK = "\ufdd6"
# What templates do to words, the likeliest first.
_TRIMS: tuple[Callable[[str], str], ...] = (
    lambda text: text,
    str.strip,
    str.lstrip,
    str.rstrip,
    lambda text: text.strip("\n"),
    lambda text: text.lstrip("\n"),
    lambda text: text.rstrip("\n"),
)
_MOST_SHAPES, _LONGEST_SHAPE = 2048, 64  # remembered; turns of one; by hand


@dataclass(frozen=True, slots=True)
class Shape:
    """What a template writes around words: `own[n]`, then the words of message `places[n]`."""

    own: tuple[str, ...]  # one more than places
    places: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Rendered:
    """A conversation as it is written: `own[n]` is the template's text before `words[n]`."""

    own: Sequence[str]
    words: Sequence[str]
    cues: Sequence[int | None]  # characters of own[n] before an answer begins; None: no answer


class Rendering:
    """Renders by one chat template; each conversation twice, with stand-ins and with its words.

    The stand-ins say where words go. Only where the words fill just these places is it believed.
    """

    def __init__(
        self, source: ChatSource, tokens: Mapping[str, Any], controls: ControlTokens
    ) -> None:
        """Try the template. Raises TemplateError where it is hostile, broken or of no use."""
        self._source, self._tokens, self._controls = source, dict(tokens), controls
        self._shapes: dict[tuple[object, ...], Shape] = {}
        self._tails: dict[tuple[object, ...], str] = {}
        self.closing = self._try_out()  # what is written after an answer
        self.takes_system = self._takes_system()

    def of(self, turns: Sequence[Turn], *, cue: bool) -> Rendered:
        """Return the turns as the template writes them, with a cue for an answer or without.

        Where it refuses them as they are, they are made to alternate. Raises TemplateError where
        it refuses them so too, fails, or treats words in a way that cannot be followed.
        """
        for turn in turns:
            if turn.role not in ROLES:
                raise TemplateError(
                    f"A turn has the role “{turn.role}”; the model knows {', '.join(ROLES)}."
                )
        wanted = list(turns) if self.takes_system else _without_system(turns)
        try:
            try:
                return self._written(wanted, cue=cue)
            except RefusedError as refusal:
                alternating = _alternating(wanted)
                if alternating == wanted:
                    raise
                try:
                    return self._written(alternating, cue=cue)
                except RefusedError:
                    raise refusal from None
        except RefusedError as error:
            raise TemplateError(
                f"The model's chat template refuses this conversation: “{error}”."
            ) from error
        except SandboxError as error:
            raise TemplateError(str(error)) from error

    def _takes_system(self) -> bool:
        """Return whether a system prompt is written at all, and not refused."""
        try:
            shape = self._shape((SYSTEM, USER), (), cue=True)
        except SandboxError:
            return False
        return shape.places == (0, 1)

    def _try_out(self) -> str:
        try:
            asked = self._shape((USER,), (), cue=True).places
            again = self._shape((USER, ASSISTANT, USER), (), cue=True).places
            answered = self._shape((USER, ASSISTANT), (), cue=False)
        except RefusedError as error:
            raise TemplateError(
                f"The model's chat template refuses a plain question: “{error}”."
            ) from error
        except SandboxError as error:
            raise TemplateError(str(error)) from error
        if 0 not in asked or 2 not in again:
            raise TemplateError(
                "The model's chat template does not write what the person asks. Is it whole?"
            )
        return answered.own[-1]

    def _written(self, turns: Sequence[Turn], *, cue: bool) -> Rendered:
        roles = tuple(turn.role for turn in turns)
        plain = [turn.text for turn in turns]
        broken = [self._controls.broken(text, _MARK) for text in plain]
        real = self._rendered(roles, broken, cue=cue)
        blank = tuple(n for n, text in enumerate(plain) if not text.strip())
        for shape in (self._shape(roles, (), cue=cue), self._shape(roles, blank, cue=cue)):
            words = _filled(shape, real, broken, plain) or self._searched(shape, real)
            if words is not None:
                cues = [self._cue(roles, shape, n) for n in range(len(words))]
                return Rendered(shape.own, words, cues)
        raise TemplateError(
            "The model's chat template changes what people say, in a way that cannot be followed;"
            " so it cannot be told which words are the answer's."
        )

    def _cue(self, roles: tuple[str, ...], shape: Shape, n: int) -> int | None:
        """Return how much of the template's text before an answer stands in its prompt."""
        place, own = shape.places[n], shape.own[n]
        if roles[place] != ASSISTANT:
            return None
        tail = self._tail(roles[:place])
        return len(tail) if own.startswith(tail) else len(own)

    def _tail(self, roles: tuple[str, ...]) -> str:
        """Return what ends a prompt of turns of these roles: all after the last one's words."""
        key = (roles, self._day())
        if key not in self._tails:
            try:
                tail = self._shape(roles, (), cue=True).own[-1]
            except SandboxError:  # a template may refuse a conversation that an answer opens
                tail = ""
            if len(self._tails) >= _MOST_SHAPES:
                self._tails.clear()
            self._tails[key] = tail
        return self._tails[key]

    def _shape(self, roles: tuple[str, ...], blank: tuple[int, ...], *, cue: bool) -> Shape:
        key = (roles, blank, cue, self._day())
        known = self._shapes.get(key)
        if known is not None:
            return known
        texts = ["" if n in blank else f"\ufdd2{n}\ufdd3" for n in range(len(roles))]
        pieces = _STAND_IN.split(self._rendered(roles, texts, cue=cue))
        places = tuple(int(number) for number in pieces[1::2])
        if any(place >= len(roles) for place in places):
            raise SandboxError("The chat template writes stand-ins of its own.")
        shape = Shape(tuple(pieces[::2]), places)
        if len(roles) <= _LONGEST_SHAPE:
            if len(self._shapes) >= _MOST_SHAPES:
                self._shapes.clear()
            self._shapes[key] = shape
        return shape

    def _rendered(self, roles: Sequence[str], texts: Sequence[str], *, cue: bool) -> str:
        pairs = zip(roles, texts, strict=True)
        messages = [{"role": role, "content": text} for role, text in pairs]
        return self._source.render(messages, self._tokens, cue=cue)

    def _day(self) -> date | None:
        return date.today() if self._source.is_dated else None  # noqa: DTZ011 as templates do

    def _searched(self, shape: Shape, real: str) -> list[str] | None:
        """Return the words between the template's control tokens, whatever became of them."""
        found: list[str] = []
        own, place = shape.own, 0
        if not real.startswith(own[0]):
            return None
        place = len(own[0])
        for text in own[1:-1]:
            end = real.find(text, place) if self._controls.found(text) else -1
            if end < 0:
                return None
            found.append(real[place:end].replace(_MARK, ""))
            place = end + len(text)
        if len(own) > 1:
            end = len(real) - len(own[-1])
            if end < place or not real.endswith(own[-1]):
                return None
            found.append(real[place:end].replace(_MARK, ""))
        return found


def _filled(
    shape: Shape, real: str, broken: Sequence[str], plain: Sequence[str]
) -> list[str] | None:
    """Return the words in their places where the rendering is just them, trimmed at most."""
    words: list[str] = []
    place = len(shape.own[0])
    if not real.startswith(shape.own[0]):
        return None
    for number, after in zip(shape.places, shape.own[1:], strict=True):
        for trim in _TRIMS:
            text = trim(broken[number])
            if real.startswith(text, place) and real.startswith(after, place + len(text)):
                words.append(trim(plain[number]))
                place += len(text) + len(after)
                break
        else:
            return None
    return words if place == len(real) else None


def _without_system(turns: Sequence[Turn]) -> list[Turn]:
    """Return the turns with what the system says in front of the next question."""
    found: list[Turn] = []
    said: list[str] = []
    for turn in turns:
        if turn.role == SYSTEM:
            said.append(turn.text)
        elif turn.role == USER and said:
            found.append(Turn(USER, "\n\n".join([*said, turn.text])))
            said = []
        else:
            found.append(turn)
    return [*found, Turn(USER, "\n\n".join(said))] if said else found


def _alternating(turns: Sequence[Turn]) -> list[Turn]:
    """Return questions and answers in turn: neighbours of one role joined, a question first."""
    head = [*turns[:1]] if turns and turns[0].role == SYSTEM else []
    found: list[Turn] = []
    for turn in _without_system(turns[len(head) :]):
        if found and found[-1].role == turn.role:
            found[-1] = Turn(turn.role, f"{found[-1].text}\n\n{turn.text}")
        else:
            found.append(turn)
    opened = [Turn(USER, "")] if found and found[0].role == ASSISTANT else []
    return [*head, *opened, *found]
