"""Control tokens under names that nobody can type, so that only a template can write them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from tokenizers import AddedToken, Tokenizer
from tokenizers.processors import TemplateProcessing

from training_app.lm.template import entries_of

# Noncharacters: Unicode promises that they never mean anything, so texts lose nothing without them.
_OPEN, _CLOSE = "\ufdd4", "\ufdd5"
_AS_IT_IS = TemplateProcessing(single="$A", special_tokens=[])  # leaves places as they are found


@dataclass(frozen=True, slots=True)
class Written:
    """Ids, and where in the text each one begins and ends, in characters."""

    ids: list[int]
    offsets: list[tuple[int, int]]
    controls: list[int]  # places in `ids`, in order


class ControlTokens:
    """A tokenizer in which a control token is written by its alias only; other text stays text.

    A whole text is encoded by one call, so what a tokenizer does at its beginning, before and after
    control tokens and across pieces is what it does for any other tool.
    """

    def __init__(self, file: Path, tokens: Iterable[str]) -> None:
        """Read tokenizer.json; of `tokens`, those that it has are control tokens besides its own.

        `opening` is what the tokenizer puts in front of a text, `ids` the control tokens, `others`
        the tokens that it finds in any text; `entries` is as the network has it, without aliases.

        Raises whatever `tokenizers` does where the file is no tokenizer.
        """
        self.tokenizer = Tokenizer.from_file(str(file))
        self.entries = entries_of(self.tokenizer)
        encoding = self.tokenizer.encode("a")
        kinds = zip(encoding.ids, encoding.special_tokens_mask, strict=True)
        self.opening = tuple(number for number, _ in takewhile(lambda pair: pair[1], kinds))
        self.tokenizer.no_truncation()
        self.tokenizer.no_padding()
        self.tokenizer.post_processor = _AS_IT_IS
        self.tokenizer.encode_special_tokens = True
        added = {t.content: t for t in self.tokenizer.get_added_tokens_decoder().values()}
        own = {name: token for name, token in added.items() if token.special}
        taken = {name: added[name] for name in tokens if name in added and name not in own}
        self.others = [name for name in added if name not in own and name not in taken]
        controls = own | taken
        self.ids = {name: self.tokenizer.token_to_id(name) for name in controls}
        self._aliases = {name: f"{_OPEN}{n}{_CLOSE}" for n, name in enumerate(controls)}
        self.tokenizer.add_special_tokens([_like(token) for token in taken.values()])
        aliases = [_like(token, self._aliases[name]) for name, token in controls.items()]
        self.tokenizer.add_tokens(aliases)
        names = self._aliases.items()
        self._real = {self.tokenizer.token_to_id(name): self.ids[t] for t, name in names}
        longest = sorted(self.ids, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest)) or r"(?!)")

    def found(self, text: str) -> list[str]:
        """Return the control tokens that a text spells, in order."""
        return self._pattern.findall(text)

    def written(self, text: str) -> str:
        """Return a template's own text with its control tokens as such."""
        return self._pattern.sub(lambda token: self._aliases[token[0]], text)

    def broken(self, text: str, mark: str) -> str:
        """Return the text with `mark` in each control token that it spells."""
        return self._pattern.sub(lambda token: token[0][0] + mark + token[0][1:], text)

    def encode_all(self, texts: Sequence[str]) -> Iterator[Written]:
        """Yield the ids of texts in which control tokens stand by `written`."""
        for encoding in self.tokenizer.encode_batch(list(texts), add_special_tokens=False):
            ids = encoding.ids
            controls = [place for place, number in enumerate(ids) if number in self._real]
            for place in controls:
                ids[place] = self._real[ids[place]]
            yield Written(ids, encoding.offsets, controls)


def harmless(text: str) -> str:
    """Return a person's text without what could be taken for an alias."""
    return text.replace(_OPEN, "") if _OPEN in text else text


def _like(token: AddedToken, alias: str = "") -> AddedToken:
    """Return a token that takes the same spaces: a control token, or what stands for it."""
    return AddedToken(
        alias or token.content,
        single_word=token.single_word,
        lstrip=token.lstrip,
        rstrip=token.rstrip,
        normalized=token.normalized and not alias,
        special=not alias,
    )
