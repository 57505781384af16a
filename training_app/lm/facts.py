"""Whether a reply says the same facts as the real answer: pure, so that pages and trainer agree.

Facts are numbers with their units, prices, times, dates, codes, names, and whether something is
said or denied. English first: number words, names, denials and “I do not know” of other languages
are known in part. Digits count in any script, and with them the word of what they count.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from training_app.lm.terms import Term, terms

Outcome = Literal["right", "contradicts", "wrong", "abstains"]

# Chosen on rows that were judged by hand; docs/BENCHMARKS.md says how well they do.
WORDS_CUT, VECTORS_CUT = 0.55, 0.65  # closeness from which texts without facts say the same
SOME_MATTER, SAME_MATTER, SURE_MATTER = (
    0.3,
    0.6,
    0.75,
)  # closeness from which two texts speak of one thing


@dataclass(frozen=True, slots=True)
class Judgement:
    """What came of a reply; `foreign` are facts that nobody asked for and the answer lacks."""

    outcome: Outcome
    missing: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Closeness:
    """How near two texts are in meaning, and from where on they say the same."""

    measure: Callable[[str, str], float]
    cut: float


@dataclass(frozen=True, slots=True)
class Said:
    """A text with all that is compared of it."""

    text: str
    terms: Sequence[Term]
    names: Sequence[tuple[str, ...]]

    @classmethod
    def of(cls, text: str) -> Said:
        """Return what a text says."""
        found = terms(text)
        return cls(text, found, _names(text, found))

    @property
    def facts(self) -> list[Term]:
        """Return everything but words."""
        return [term for term in self.terms if term.kind != "word"]

    @property
    def words(self) -> set[str]:
        """Return its words, small."""
        return {term.value for term in self.terms if term.kind == "word"}


def judge(
    reply: str,
    reference: str,
    *,
    must: Sequence[str] = (),
    must_not: Sequence[str] = (),
    question: str | Sequence[str] = "",
    closeness: Closeness | None = None,
) -> Judgement:
    """Return what a reply is worth beside the real answer.

    With `must`, the reply is right when all of it stands there (`a|b`: one is enough) and nothing
    of `must_not`. Without, when it has the facts of the reference that the question does not bring
    along; where there are none, when it is as close to the reference as `closeness` asks for, or
    by its words. `question` may be several turns, the last of which is asked.
    """
    turns = [question] if isinstance(question, str) else question
    said, real, asked = Said.of(reply), Said.of(reference), Said.of(turns[-1] if turns else "")
    named = [fact for text in (*turns, *must) for fact in Said.of(text).facts]
    foreign = [fact for fact in said.facts if not is_among(fact, [*real.facts, *named])]
    strangers = strange_names(said, [real, asked, *map(Said.of, must)])
    outside = (*(fact.text for fact in foreign), *(" ".join(name) for name in strangers))
    if not said.terms:
        return Judgement("right" if not real.terms and not must else "wrong")
    telling = [fact for fact in real.facts if not is_among(fact, asked.facts)]
    is_told = any(is_among(fact, said.facts) for fact in telling)
    if does_not_know(reply) and not is_told and not (must and _holds_all(said, must)):
        return Judgement(
            "right" if does_not_know(reference) and not must else "abstains", (), outside
        )
    has_other_code = any(fact.kind == "code" for fact in foreign)
    if must:
        missing = tuple(term for term in must if not holds(said, term))
        wanted = [fact for term in missing for fact in Said.of(term).facts]
        outcome = _strict(said, must_not, missing, has_clash=_clash(foreign, wanted))
    else:
        missing, outcome = _loose(said, real, asked, foreign, strangers, closeness or BY_WORDS)
    return Judgement("contradicts" if has_other_code else outcome, missing, outside)


def says_the_same(reply: str, reference: str, question: str = "") -> bool:
    """Tell whether a reply has the facts of the real answer."""
    return judge(reply, reference, question=question).outcome == "right"


def _strict(
    said: Said, must_not: Sequence[str], missing: Sequence[str], *, has_clash: bool
) -> Outcome:
    if has_clash or any(holds(said, term, is_exact=True) for term in must_not):
        return "contradicts"
    return "wrong" if missing else "right"


def _loose(
    said: Said,
    real: Said,
    asked: Said,
    foreign: Sequence[Term],
    strangers: Sequence[tuple[str, ...]],
    closeness: Closeness,
) -> tuple[tuple[str, ...], Outcome]:
    telling = [fact for fact in real.facts if not is_among(fact, asked.facts)]
    lacking = [fact for fact in telling if not is_among(fact, said.facts)]
    unnamed = _unnamed(said, real, asked)
    missing = (*(fact.text for fact in lacking), *(" ".join(name) for name in unnamed))
    if _denies_otherwise(said, real, asked, has_facts=bool(telling) and not missing):
        return missing, "contradicts"
    unsaid = [fact for fact in real.facts if not is_among(fact, said.facts)]
    if _clash(foreign, unsaid) or (strangers and _is_renamed(said, real, asked)):
        return missing, "contradicts"
    if _is_otherwise_free(said, real, foreign, lacking):
        return missing, "contradicts"
    if missing or (foreign and not telling):
        return missing, "wrong"
    if telling or _answers_alike(said, real, asked):
        return missing, "right"
    near = closeness.measure(said.text, real.text) >= closeness.cut
    return missing, "right" if near else "wrong"


def _unnamed(said: Said, real: Said, asked: Said) -> list[tuple[str, ...]]:
    """Return the names of the real answer where one was asked for and none of them is said.

    Else a name only says what both speak of anyway: “the Ridge tent costs …”.
    """
    names = [name for name in real.names if not _is_named(name, asked)]
    if not _ASKS_A_NAME.search(asked.text) or any(_is_named(name, said) for name in names):
        return []
    return [] if any(not is_among(fact, asked.facts) for fact in real.facts) else names


def _is_renamed(said: Said, real: Said, asked: Said) -> bool:
    """Tell whether a name of the real answer is missing, so that another stands for it."""
    return any(not _is_named(name, asked) and not _is_named(name, said) for name in real.names)


def _is_otherwise_free(
    said: Said, real: Said, foreign: Sequence[Term], lacking: Sequence[Term]
) -> bool:
    """Tell whether one asks a price for what the other gives free of charge."""
    if "free" in real.words:
        return any(fact.kind == "price" for fact in foreign)
    return "free" in said.words and any(fact.kind == "price" for fact in lacking)


# --- facts against facts ---


def is_among(fact: Term, others: Iterable[Term]) -> bool:
    """Tell whether one of the others says the same fact."""
    return any(_is_same(fact, other) for other in others)


def _is_same(one: Term, other: Term) -> bool:
    """Tell whether two facts are the same; a bare number is that of any unit."""
    kinds = {one.kind, other.kind}
    if kinds <= {"number", "price"}:
        if one.unit and other.unit:
            return one.unit == other.unit and one.amount == other.amount
        return one.number == other.number and ("price" in kinds or len(kinds) == 1)
    if kinds == {"number", "time"}:
        bare, time = (one, other) if one.kind == "number" else (other, one)
        return not bare.unit and bare.number in {time.number, (time.number or 0) - 12}
    if kinds == {"date"}:
        short = min(len(one.value), len(other.value))
        return one.value[-short:] == other.value[-short:]
    return len(kinds) == 1 and one.value == other.value


def _clash(foreign: Sequence[Term], wanted: Sequence[Term]) -> bool:
    """Tell whether a fact stands where another of its kind should: $199 for $289."""
    return any(
        other.kind == fact.kind and (other.kind == "price" or _is_comparable(fact, other))
        for other in foreign
        for fact in wanted
    )


def _is_comparable(one: Term, other: Term) -> bool:
    units = {one.unit, other.unit}
    return len(units) == 1 or "" in units or units == {"minute", "month"}


def holds(said: Said, term: str, *, is_exact: bool = False) -> bool:
    """Tell whether one of the ways to say a term stands in a text.

    `is_exact`: a number of the term that has a unit is not met by one without.
    """
    return any(_stands_in(terms(way), said.terms, is_exact=is_exact) for way in term.split("|"))


def _holds_all(said: Said, must: Sequence[str]) -> bool:
    return all(holds(said, term) for term in must)


def _stands_in(wanted: Sequence[Term], found: Sequence[Term], *, is_exact: bool) -> bool:
    if not wanted:
        return False
    last = len(wanted) - 1
    return any(
        all(
            _is_met(term, found[start + n], is_last=n == last, is_exact=is_exact)
            for n, term in enumerate(wanted)
        )
        for start in range(len(found) - last)
    )


def _is_met(term: Term, other: Term, *, is_last: bool, is_exact: bool) -> bool:
    if term.kind == "word" or other.kind == "word":
        plurals = {term.value, f"{term.value}s", f"{term.value}es"} if is_last else {term.value}
        return other.kind == term.kind and other.value in plurals
    if is_exact and (term.kind != other.kind or (term.unit and not other.unit)):
        return False
    return _is_same(term, other)


# --- names ---

_SMALL_WORDS = set(
    "a an the our your my his her their its this that these those in on at of for from to with by "
    "as and or but if so we you he she it they i yes no not only just all each every any some most "
    "many more both either is are was were be do does did can could will would shall should may "
    "might must have has had please sorry thanks thank hello hi hey dear good great how what when "
    "where which who why there here then order orders parcel delivery check checkout".split()
)
_GERMAN = re.compile(
    r"\b(?:der|das|und|ist|nicht|ein|eine|wir|sie|zu|den|ab|für|bei|sind|kann|können|auf|oder|bis"
    r"|nach|dem|einem|einer|keine?|ihre?|unsere?)\b",
    re.IGNORECASE,
)


def _names(text: str, found: Sequence[Term]) -> list[tuple[str, ...]]:
    """Return the names in a text: capital words that do not only begin a sentence.

    None in German, where every noun has a capital.
    """
    if _GERMAN.search(text) or text.isupper():
        return []
    names: list[tuple[str, ...]] = []
    run: list[Term] = []
    for term in (*found, None):
        if (
            term is not None
            and _is_capital(term)
            and not (term.is_first and term.value in _SMALL_WORDS)
        ):
            if term.is_first and run:
                names += _name(run)
                run = []
            run.append(term)
            continue
        names += _name(run)
        run = []
    return names


def _is_capital(term: Term) -> bool:
    is_word = term.kind == "word" and term.text[0].isupper() and len(term.text) > 1
    return is_word and "'" not in term.value.replace("'s", "")


def _name(run: Sequence[Term]) -> list[tuple[str, ...]]:
    if not run or (run[0].is_first and len(run) == 1 and not _has_inner_capital(run[0].text)):
        return []
    return [tuple(term.text.removesuffix("'s") for term in run)]


def _has_inner_capital(word: str) -> bool:
    """Tell whether a word is written like ParcelFox."""
    return any(sign.isupper() for sign in word[1:]) and not word.isupper()


def _is_named(name: tuple[str, ...], text: Said) -> bool:
    """Tell whether more than half of the words of a name stand in a text."""
    words = {word.removesuffix("'s") for word in text.words}
    return 2 * sum(word.casefold() in words for word in name) > len(name)


def strange_names(said: Said, known: Iterable[Said]) -> list[tuple[str, ...]]:
    """Return the names in a text of which no word stands in what is known."""
    words = {word.removesuffix("'s") for text in known for word in text.words}
    return [name for name in said.names if not any(word.casefold() in words for word in name)]


# --- yes, no, and not knowing ---

_YES = re.compile(
    r"^\W*(?:(?:yes|yeah|yep|sure|of course|certainly|ja|oui|sí|si|да|نعم|أجل|بلى|네|예)\b"
    r"|是|对|對|可以|はい|हाँ|हां)",
    re.IGNORECASE,
)
_NO = re.compile(
    r"^\W*(?:(?:no(?! (?:problem|worr|doubt))|nope|nein|non|нет|unfortunately|leider|لا|كلا"
    r"|아니요|아니오|아뇨)\b|不|否|いいえ|नहीं)",
    re.IGNORECASE,
)
_DENIES = re.compile(
    r"\b(?:not|no(?! (?:problem|worr|doubt))|never|none|neither|nor|cannot|without|unable"
    r"|unavailable|nein|nicht|kein\w*|ne|pas|jamais|nunca|sin|не|нет|لا|ليس\w*|لن|لم|غير|بدون"
    r"|안|못)\b|n['’]t\b|不|没|沒|无法|無法|ません|ない|않|없|नहीं|ไม่",
    re.IGNORECASE,
)
_OPENING = re.compile(r"^\W*\w+\W*")
_LIMITS = {"only", "just", "closed", "sold"}
_ASKS_A_NAME = re.compile(
    r"\b(?:who|whom|whose|where|name|called"
    r"|which (?:courier|street|town|city|store|shop|hotel|place|person|company))\b",
    re.IGNORECASE,
)
_YES_NO_QUESTION = re.compile(
    r"(?:^|[.!,]\s*|\b(?:and|or|hi|hello)\s+)(?:is|are|was|were|do|does|did|can|could|may|will"
    r"|would|have|has|must|should)\s",
    re.IGNORECASE,
)
_KNOWS_NOT = re.compile(
    r"\b(?:i|we)\s?(?:do not|don['’]t|did not|didn['’]t|could not|couldn['’]t|cannot|can['’]t"
    r"|can not|have not|haven['’]t|am not|['’]m not|was not|am unable to|are unable to)"
    r" (?:yet |really |currently )?(?:know|find|found|tell|say|see|answer|sure|certain"
    r"|have (?:any |that |this |the )?(?:information|details|data)"
    r"|able to (?:answer|say|tell|find))"
    r"|\b(?:have|had|find|found|there is) (?:no|nothing|not any)"
    r" (?:information|details|data|idea|answer|knowledge)"
    r"|\bno idea\b|\bnot in what i know\b|\b(?:would|['’]d) rather not (?:guess|say)\b"
    r"|\bcan(?:no|['’])t (?:answer|tell|say)\b|\bunable to (?:answer|say|tell|find)\b"
    r"|\b(?:beyond|outside) (?:what i|my) know"
    r"|\bweiß (?:ich|das|es)\b.*\bnicht\b|\b(?:ich|wir) wei(?:ß|ss)\b.*\bnicht\b"
    r"|\bkeine (?:ahnung|angaben|information)|\bje ne sais pas\b|\bno (?:lo )?sé\b"
    r"|не знаю|不知道|모르겠|わかりません|分かりません|لا أعرف",
    re.IGNORECASE,
)


def does_not_know(text: str) -> bool:
    """Tell whether a text says that it does not know the answer."""
    return bool(_KNOWS_NOT.search(text))


def _side(text: Said) -> int:
    """Return 1 where a text begins with yes, -1 where it begins with no, else 0."""
    return 1 if _YES.search(text.text) else -1 if _NO.search(text.text) else 0


def _denies(text: Said) -> bool:
    return bool(_DENIES.search(text.text))


def _denies_otherwise(said: Said, real: Said, asked: Said, *, has_facts: bool) -> bool:
    """Tell whether one says yes where the other says no.

    Where the real answer leaves it open, a reply with all its facts denies nothing.
    """
    ours, theirs = _side(said), _side(real)
    if ours and theirs:
        return ours != theirs or _turns_round(said, real)
    real_denies = theirs < 0 or (not theirs and (_denies(real) or _restricts(real)))
    if not ours:
        said_denies = _denies(said) or _restricts(said)
        return said_denies != real_denies and _is_one_matter(said, real, asked, has_facts=has_facts)
    rest = Said.of(_OPENING.sub("", said.text))
    if ours > 0:
        return real_denies or (_denies(rest) and _contained(rest, real) >= SAME_MATTER)
    says_same = has_facts or word_closeness(rest.text, real.text) >= SAME_MATTER
    return not real_denies and (_denies(rest) or not says_same)


def _turns_round(said: Said, real: Said) -> bool:
    """Tell whether one says after its yes or no what the other denies there."""
    ours, theirs = (Said.of(_OPENING.sub("", text.text)) for text in (said, real))
    is_same = word_closeness(ours.text, theirs.text) >= SAME_MATTER
    return is_same and _denies(ours) != _denies(theirs)


def _is_one_matter(said: Said, real: Said, asked: Said, *, has_facts: bool) -> bool:
    """Tell whether a “not” on one side turns the same thing round, so that both cannot be true."""
    if _YES_NO_QUESTION.search(asked.text):
        about = _content(said) & (_content(real) | _content(asked))
        return not has_facts and 2 * len(about) >= len(_content(said))
    if has_facts:
        return word_closeness(said.text, real.text) >= SURE_MATTER
    if _denies(said):
        return _contained(said, real) >= SAME_MATTER
    return word_closeness(said.text, real.text) >= SAME_MATTER


def _restricts(text: Said) -> bool:
    """Tell whether a text begins with a limit, which answers a question with no: “only …”."""
    return bool(_LIMITS & {term.value for term in text.terms[:6]})


def _answers_alike(said: Said, real: Said, asked: Said) -> bool:
    """Tell whether both answer a question of yes and no alike, about the same matter."""
    if not _YES_NO_QUESTION.search(asked.text):
        return False
    if _side(said) or (_denies(said) and _denies(real)):
        return True
    news = _content(real) - _content(asked)
    return bool(_content(said) & news) and word_closeness(said.text, real.text) >= SOME_MATTER


# --- closeness by words ---

_EMPTY = _SMALL_WORDS | {"there", "them", "than", "then", "us", "me", "one"}


def _stem(word: str) -> str:
    return word.removesuffix("'s")[:5]


def _content(text: Said) -> set[str]:
    return {_stem(term.value) for term in text.terms if term.value not in _EMPTY}


def word_closeness(reply: str, reference: str) -> float:
    """Return the F1 of the words that carry meaning, by their beginnings.

    As SQuAD's (Rajpurkar et al. 2016, section 6.1), without the small words. It knows nothing of
    meaning: a good answer in other words is not close.
    """
    sides = [
        Counter(_stem(term.value) for term in terms(text) if term.value not in _EMPTY)
        for text in (reply, reference)
    ]
    if not sides[0] or not sides[1]:
        return float(sides[0] == sides[1])
    shared = (sides[0] & sides[1]).total()
    return 2 * shared / (sides[0].total() + sides[1].total())


def by_vectors(cosine: Callable[[str, str], float]) -> Closeness:
    """Return closeness by the cosine of two texts' vectors, which know English best.

    Texts of other scripts are compared by their words, on the same scale.
    """

    def measure(reply: str, reference: str) -> float:
        if _is_latin(reply) and _is_latin(reference):
            return cosine(reply, reference)
        return word_closeness(reply, reference) * VECTORS_CUT / WORDS_CUT

    return Closeness(measure, VECTORS_CUT)


def _is_latin(text: str) -> bool:
    letters = [sign for sign in text if sign.isalpha()]
    return 2 * sum(sign < "\u0250" for sign in letters) >= len(letters)


def _contained(said: Said, real: Said) -> float:
    """Return the share of the reply's content that stands in the real answer too."""
    ours = _content(said)
    return len(ours & _content(real)) / len(ours) if ours else 0.0


BY_WORDS = Closeness(word_closeness, cut=WORDS_CUT)
