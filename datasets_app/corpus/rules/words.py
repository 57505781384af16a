"""Words of many scripts, the small words of some languages, and what counts as an answer."""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet

# Scripts written without spaces: every letter counts as a word.
LETTER_SCRIPTS = (
    "\u3005-\u3007\u3041-\u3096\u30a1-\u30fa\u30fc\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\uff66-\uff9d\U00020000-\U0003ffff"
    "\u0e01-\u0e30\u0e32\u0e33\u0e40-\u0e46"
    "\u0e81-\u0eb0\u0eb2\u0eb3\u0ebd\u0ec0-\u0ec6\u0edc-\u0edf"
    "\u1000-\u102a\u103f\u1050-\u1055\u1780-\u17b3"
)
# Vowel signs and accents that belong to a word but are no word characters for `re`.
MARKS = (
    "\u0300-\u036f\u0483-\u0487\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670"
    "\u0900-\u0963\u0966-\u0dff\u0f71-\u0f84\u1ab0-\u1aff"
)

_ASCII_WORD = re.compile(r"\w+(?:'\w+)*", re.ASCII)
_ASCII_RUN = re.compile(r"\w+", re.ASCII)
_WORD = re.compile(rf"[{LETTER_SCRIPTS}]|[^\W{LETTER_SCRIPTS}]+(?:['’][^\W{LETTER_SCRIPTS}]+)*")
_MARKED_WORD = re.compile(
    rf"[{LETTER_SCRIPTS}]|(?:[^\W{LETTER_SCRIPTS}]|[{MARKS}])+"
    rf"(?:['’](?:[^\W{LETTER_SCRIPTS}]|[{MARKS}])+)*"
)
_HANGUL = re.compile("[\uac00-\ud7a3]")
_HAS_MARK = re.compile(rf"[{MARKS}]")
_HAS_LETTER_SCRIPT = re.compile(rf"[{LETTER_SCRIPTS}]")

STOP_WORDS: dict[str, frozenset[str]] = {
    language: frozenset(words.split())
    for language, words in {
        "en": "a about after all also am an and any are as at be been but by can could did do does "
        "for from had has have he her here him his how i if in into is it it's its just may me "
        "more most my no not of off on one only or our out over please she should so some such "
        "than that the their them then there these they this those to too under up us was we were "
        "what when where which while who whom whose why will with would yes you your yours",
        "de": "aber alle als am an auch auf aus bei bin bis bitte da das dass dein dem den der des "
        "die dies diese dir du durch ein eine einem einen einer er es für haben hat hier ich ihr "
        "im in ist ja kann kein keine können man mehr mein mit nach nicht noch nur oder schon sein "
        "sich sie sind so um und uns unser unter vom von vor war was wenn wer werden wie wir wird "
        "wo zu zum zur über",
        "fr": "à au aux avec ce ces cette comme dans de des du elle en est et être il ils je la le "
        "les leur lui ma mais me mes mon ne nos notre nous on ont ou où par pas plus pour qu que "
        "qui sa sans se ses si son sont sur ta te tes ton tu un une vos votre vous y c'est d'un",
        "es": "a al algo como con cuando de del desde donde el ella en entre era es esa ese eso "
        "esta este esto está están hay la las le les lo los me mi muy más no nos o para pero por "
        "porque que qué se ser si sin sobre son su sus también te tiene tu un una y ya yo",
        "it": "a ai al alla anche che chi ci come con da dal dei del della delle di dove e ed era "
        "gli ha ho i il in io la le lei lo loro lui ma mi mia mio nel nella noi non o per perché "
        "più quando quello questa questo se sei si sono su sua suo ti tra tu un una uno vi è",
        "pt": "a ao aos as até com como da das de depois do dos e ela ele em entre era essa esse "
        "esta este está eu foi há isso já mais mas me meu minha muito na nas não no nos o os ou "
        "para pela pelo por quando que quem se sem ser seu seus sua são também te tem um uma você",
        "nl": "aan al alles als bij dat de der deze die dit doch door dus een en er ge haar had "
        "heb heeft hem het hier hij hoe hun iets ik in is ja je kan mag maar me meer men met mijn "
        "moet na naar niet nog nu of om onder ons ook op over te toch tot u uit van veel voor want "
        "was wat we wel werd wezen wie wij worden zal ze zich zij zijn zo zonder zou",
    }.items()
}
ALL_STOP_WORDS: frozenset[str] = frozenset().union(*STOP_WORDS.values())

# An answer that ends in one of these without a mark was cut off. Words that may well end a
# sentence ("I told her", "I think so", "9 am") are left out.
CUT_WORDS: dict[str, frozenset[str]] = {
    language: frozenset(words.split())
    for language, words in {
        "en": "a an the is are was were and or but nor because if than although unless whereas my "
        "your its our their",
        "de": "der die den dem des eine einen einem einer und oder weil dass ist sind mein unser",
        "fr": "le la les un une des du et ou mais est sont mon ma mes ton ta sa ses notre votre",
        "es": "el la los las un una y o pero porque es son mi tu su sus",
        "it": "il lo la gli un una e ed o ma perché è sono mio mia tuo tua",
        "pt": "a os as um uma e ou mas porque é são meu minha seu sua",
        "nl": "de het een en of maar want omdat is zijn mijn jouw onze",
    }.items()
}
PREPOSITIONS = frozenset(
    "about above across after against along among around at before behind below beneath beside "
    "between beyond by down during for from in inside into near of off on onto out outside over "
    "past since through to toward towards under until up upon with within without".split()
)

YES_NO_WORDS = frozenset(
    "yes no yep yeah yup nope sure okay ok right correct true false indeed certainly absolutely "
    "definitely never always maybe probably none nothing ja nein doch klar genau oui non si sí "
    "claro sì certo sim não nee zeker да нет так ні tak nie ano ne evet hayır نعم لا כן לא हाँ "
    "हां नहीं जी 네 예 아니요 아니오 ναι όχι kyllä ei igen nem".split()
)
# Letter scripts arrive as single letters, so these are compared as whole answers.
WHOLE_ANSWERS = frozenset(
    "是 是的 不是 不 对 對 有 没有 沒有 可以 不可以 好 好的 会 不会 能 不能 はい いいえ うん "
    "ええ そうです ใช่ ไม่ ไม่ใช่ ได้ ไม่ได้ ครับ ค่ะ ບໍ່ ແມ່ນ បាទ ចាស ទេ".split()
) | {
    "you're welcome",
    "you’re welcome",
    "my pleasure",
    "thank you",
    "no problem",
    "of course",
    "not yet",
    "any time",
    "gern geschehen",
    "de rien",
    "de nada",
}
# One of these in an answer says something, however many words come from the question.
DECISIVE_WORDS = YES_NO_WORDS | frozenset(
    "not cannot can't don't doesn't isn't aren't won't neither without nicht kein keine keinen nie "
    "pas jamais nunca tampoco ninguno nessuno mai nem niet geen nooit нет не никогда لن لم ليس नहीं "
    "không chưa 不 没 未 否".split()
)
NUMBER_WORDS = frozenset(
    "zero one two three four five six seven eight nine ten eleven twelve twenty thirty forty fifty "
    "hundred thousand half once twice noon midnight today tomorrow yesterday monday tuesday "
    "wednesday thursday friday saturday sunday".split()
)

_CLOSED_START = re.compile(
    r"\A\W*+(?:(?:is|are|do|does|can|will|has|have|had|was|were|did|could|would|should|may|when|who|"
    r"which)\b|how (?:many|much|long|old|far|often)\b|what(?:’s|'s| is| are| was| were)\b|"
    r"(?:ist|sind|hat|haben|kann|können|wird|wann|wer|wie viele?|welche[rsn]?|est-ce|combien|quand|"
    r"quel(?:le)?s?|es|está|hay|puedo|cuándo|cuánt[oa]s?|quién|cuál(?:es)?)\b)",
    re.IGNORECASE,
)
# In these languages the question word may stand anywhere.
_CLOSED_ANYWHERE = re.compile(
    "[吗嗎么麼か谁誰哪几幾]|什么|什麼|多少|何|いつ|どこ|どれ|ไหม|หรือ|ใคร|เมื่อไร|กี่|ที่ไหน|อะไร|"
    r"몇|언제|누구|어디|얼마|\b(?:сколько|кто|когда|где|как(?:ой|ая|ое|ие)|чей)\b|\bли\b|"
    r"\b(?:كم|متى|أين|هل)\b|\bمن (?:هو|هي)\b|कितन|कौन|कब|क्या|कहाँ|bao nhiêu|khi nào|ở đâu",
    re.IGNORECASE,
)
_LAST_SENTENCE = re.compile(r"(?<![^.!?\n。！？])[^.!?\n。！？]*+[?？؟]?\Z")
QUESTION_MARKS = ("?", "？", "؟")


def words_of(text: str) -> list[str]:
    """Return the lower-cased words; in scripts without spaces every letter is one."""
    lowered = text.lower()
    if text.isascii():
        return (_ASCII_WORD if "'" in text else _ASCII_RUN).findall(lowered)
    return _pattern(lowered).findall(lowered)


def word_spans(text: str) -> list[tuple[str, int, int]]:
    """Return each word, lower-cased, with its place in the text as it stands."""
    found = _pattern(text).finditer(text)
    return [(match.group().lower(), match.start(), match.end()) for match in found]


def uses_letter_script(text: str) -> bool:
    """Tell whether the text holds a script in which letters are counted instead of words."""
    return not text.isascii() and _HAS_LETTER_SCRIPT.search(text) is not None


def syllable_count(text: str) -> int:
    """Return the number of Korean syllables, each of them worth a letter."""
    return 0 if text.isascii() else len(_HANGUL.findall(text))


def is_letter(word: str) -> bool:
    """Tell whether the word is a single letter of a script without spaces."""
    return len(word) == 1 and not word.isascii() and _HAS_LETTER_SCRIPT.match(word) is not None


def language_of(distinct: AbstractSet[str]) -> str | None:
    """Return the language with most small words in the text; `None` below two of them."""
    hits, language = max((len(distinct & words), name) for name, words in STOP_WORDS.items())
    english = len(distinct & STOP_WORDS["en"])
    if english == hits:
        language = "en"
    return language if hits >= 2 else None


def content_words(distinct: AbstractSet[str], language: str | None) -> set[str]:
    """Return the words that carry meaning; letters of scripts without spaces all do."""
    if language is None:
        return {word for word in distinct if len(word) >= 4 or is_letter(word)}
    return set(distinct - STOP_WORDS[language])


def is_closed(question: str) -> bool:
    """Tell whether a yes, a number or a name would answer the question."""
    tail = question.rstrip()[-600:]
    if not tail.endswith(QUESTION_MARKS) and not uses_letter_script(tail):
        return False
    last = _LAST_SENTENCE.search(tail)
    if last is None:
        return False
    return bool(_CLOSED_START.match(last.group()) or _CLOSED_ANYWHERE.search(last.group()))


def _pattern(text: str) -> re.Pattern[str]:
    if text.isascii():
        return _ASCII_WORD
    return _MARKED_WORD if _HAS_MARK.search(text) else _WORD
