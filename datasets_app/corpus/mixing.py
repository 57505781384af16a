"""How many rows each part of a mix gives, so that the shares hold in each split."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from datasets_app.corpus.conversation import CorpusError
from datasets_app.corpus.split import NEEDED, SPLITS

FEWEST_PARTS, MOST_PARTS = 2, 6
ROUNDING = 1.0  # how far from 100 % shares may be together: three thirds are 99.9


@dataclass(frozen=True, slots=True)
class Ingredient:
    """A version that gives rows: its share in percent, and what it has to give by split."""

    name: str
    share: float
    rows: Mapping[str, int]

    @property
    def total(self) -> int:
        return sum(self.rows.values())


def check_shares(shares: Sequence[float]) -> None:
    """Raise a CorpusError that says what is wrong with the shares of a mix, in percent."""
    if not FEWEST_PARTS <= len(shares) <= MOST_PARTS:
        told = f"A mix is made of {FEWEST_PARTS} to {MOST_PARTS} versions, and {len(shares)} "
        raise CorpusError(f"{told}{'is' if len(shares) == 1 else 'are'} chosen.")
    if min(shares) <= 0:
        raise CorpusError("Each version needs a share above 0 %. Leave out those that give none.")
    if abs(sum(shares) - 100) > ROUNDING:
        raise CorpusError(f"The shares are {sum(shares):g} % together. They have to be 100 %.")


def given(parts: Sequence[Ingredient], wanted: int | None = None) -> list[Counter[str]]:
    """Return how many rows of each split each part gives; as many as there can be, or `wanted`.

    Each split of the mix has the shares, as near as whole rows can be. Raises CorpusError with what
    is possible.
    """
    check_shares([part.share for part in parts])
    whole = sum(Fraction(part.share) for part in parts)
    shares = [Fraction(part.share) / whole for part in parts]
    for part in parts:
        if not part.total:
            raise CorpusError(f"“{part.name}” has no row that the versions before it do not have.")
    possible = min(int(part.total / share) for part, share in zip(parts, shares, strict=True))
    rows = possible if wanted is None else wanted
    takes = _rounded([rows * share for share in shares])
    for part, take in zip(parts, takes, strict=True):
        if take > part.total:
            raise CorpusError(_too_few(part, take, rows, possible))
        if not take:
            raise CorpusError(
                f"{part.share:g} % of {rows:,} rows is less than one row of “{part.name}”. Give it "
                "a larger share, or make the mix larger."
            )
    return _with_needed(
        parts, [_spread(part, take) for part, take in zip(parts, takes, strict=True)]
    )


def _too_few(part: Ingredient, take: int, rows: int, possible: int) -> str:
    most = 100 * part.total / rows
    return (
        f"“{part.name}” has {part.total:,} rows to give, and {part.share:g} % of {rows:,} are "
        f"{take:,}. With these shares {possible:,} rows are possible; or give it at most "
        f"{int(most * 10) / 10:g} %."
    )


def _spread(part: Ingredient, take: int) -> Counter[str]:
    names = [name for name in SPLITS if part.rows.get(name)]
    exact = [Fraction(take * part.rows[name], part.total) for name in names]
    return Counter(dict(zip(names, _rounded(exact), strict=True)))


def _rounded(exact: Sequence[Fraction]) -> list[int]:
    """Return whole numbers with the same sum, none of them above the next whole one."""
    floors = [int(one) for one in exact]
    left = int(sum(exact)) - sum(floors)
    by_rest = sorted(range(len(exact)), key=lambda place: (floors[place] - exact[place], place))
    return [floor + (place in by_rest[:left]) for place, floor in enumerate(floors)]


def _with_needed(parts: Sequence[Ingredient], takes: list[Counter[str]]) -> list[Counter[str]]:
    """Exchange a row where rounding left nothing to learn from, or nothing to check with."""
    for needed in sorted(NEEDED):
        if any(take[needed] for take in takes):
            continue
        pairs = zip(parts, takes, strict=True)
        having = [take for part, take in pairs if part.rows.get(needed)]
        if not having or sum(map(Counter.total, takes)) < len(NEEDED):
            raise CorpusError(
                f"No row of this mix would be in “{needed}”, and training needs one. "
                + ("Make the mix larger." if having else "Choose a version that has such rows.")
            )
        largest = max(having, key=Counter.total)
        other = max(largest, key=largest.__getitem__)
        largest[other] -= 1
        largest[needed] += 1
    return takes
