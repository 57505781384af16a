"""What texts bring along that nobody has to learn, taken away by switches that a person chooses."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from datasets_app.corpus.conversation import Conversation, CorpusError, Turn
from datasets_app.corpus.difference import Part, TurnDifference, word_difference
from datasets_app.corpus.parsing.quoted import new_words
from datasets_app.corpus.replacing import OF_ROLE, Replacing, shortened

FENCE = "```"
SPACES_AT_END = re.compile(r"(?<![ \t])[ \t]+$", re.MULTILINE)
BLANK_LINES = re.compile(r"\n{3,}")
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u200b\u2060\ufeff\ufffc]")
NAMES = "a|b|big|blockquote|br|center|div|em|font|h[1-6]|hr|i|img|li|ol|p|s|small|span|strong"
TAG = re.compile(
    rf"<(/?)({NAMES}|sub|sup|table|tbody|td|th|thead|tr|tt|u|ul)(?:\s[^<>]{{0,500}})?\s?/?>",
    re.IGNORECASE,
)
PROVES_TAGS = re.compile(rf"</(?:{NAMES}|table|td|tr|ul|u)>|<br\s?/?>", re.IGNORECASE)
ENTITY = re.compile(r"&(?:[A-Za-z][A-Za-z0-9]{1,8}|#[0-9]{1,6}|#[xX][0-9A-Fa-f]{1,5});")
ENDING = frozenset("p div li tr h1 h2 h3 h4 h5 h6 blockquote table ul ol br hr".split())
NOT_ASCII = re.compile(r"[^\x00-\x7f]+")
BEHIND_LETTERS = frozenset("’”“»«‘–—…°™®\u203a\u2039")
MOST_TIMES = 3  # that one text was decoded wrongly
GREETING = re.compile(
    r"(?i)(?:hi|hello|hey|dear|good (?:morning|afternoon|evening|day)|greetings|hallo|moin"
    r"|liebe[rs]?|guten (?:tag|morgen|abend)|sehr geehrte[rs]?|servus|grüezi|bonjour"
    r"|bonsoir|salut|cher|chère"
    r"|madame|monsieur|hola|buenos días|buenas tardes|estimad[oa]s?|querid[oa]s?|ciao|salve"
    r"|buongiorno|buonasera|gentile|olá|bom dia|boa tarde|prezad[oa]s?|beste|geachte|goedemorgen"
    r"|goedendag|dzień dobry|witam|cześć|szanown[yaie]{1,2}|hej|добрый день|здравствуйте|привет)\b"
)
CLOSING = re.compile(
    r"(?i)(?:(?:best|kind|warm|many|with kind)\s)?(?:regards|wishes)\b|sincerely|yours (?:truly"
    r"|sincerely|faithfully)|cheers\b|mit (?:freundlichen|besten|herzlichen|lieben) grüßen"
    r"|(?:viele|beste|liebe|freundliche|schöne|herzliche) grüße|(?:mfg|lg|vg|mvh)[,.!]?$"
    r"|cordialement|bien à vous|meilleures salutations|un (?:cordial )?saludo|saludos\b|atentamente"
    r"|cordiali saluti|distinti saluti|un saluto|atenciosamente|cumprimentos|met vriendelijke groet"
    r"|groetjes|groeten\b|z poważaniem|pozdrawiam|с уважением|med vänlig hälsning"
)
BANNER = re.compile(
    r"(?i)(?:we(?: and our partners)? use cookies|(?:this|our) (?:web)?site uses cookies"
    r"|by (?:continuing|using) (?:to|this|our)|wir (?:verwenden|nutzen) cookies"
    r"|(?:diese|unsere) (?:web)?seite (?:verwendet|nutzt) cookies|nous utilisons des cookies"
    r"|ce site utilise des cookies|(?:utilizamos|usamos) cookies"
    r"|este sitio (?:web )?(?:usa|utiliza) cookies"
    r"|utilizziamo i cookie|questo sito utilizza|wij gebruiken cookies|używamy (?:plików )?cookies"
    r"|subscribe to our newsletter|sign up (?:for|to) our newsletter|newsletter abonnieren)"
)
CONSENT = re.compile(
    r"(?i)\b(?:accept|agree|consent|got it|decline|reject all|learn more|read more|find out more"
    r"|your experience|browsing experience|user experience|best experience|personali[sz]e"
    r"|analy[sz]e (?:our )?traffic|privacy policy|cookie policy|preferences|enter your e-?mail"
    r"|inbox|akzeptieren|ablehnen|zustimmen|einverstanden|stimmen sie|mehr erfahren"
    r"|nutzererlebnis|datenschutz|accepter|acceptez|refuser|en savoir plus|votre expérience"
    r"|aceptar|acepta|más información|tu experiencia|su experiencia|accetta|accettare"
    r"|maggiori informazioni|akkoord|meer informatie|akceptuj|zgadzasz)\b"
    r"|(?:\W|^)ok\W{0,2}$"
)
"""What a banner asks for; the same beginning without any of it may be an answer."""
FURNITURE = re.compile(
    r"(?i)(?:was this (?:page|article|answer) helpful"
    r"\W{0,3}(?:(?:yes|no)\W{0,3}){0,2}(?:\d.{0,40})?$"
    r"|war dieser artikel hilfreich\W{0,3}(?:(?:ja|nein)\W{0,3}){0,2}$"
    r"|(?:copyright )?(?:©|\(c\))\s?(?:copyright )?[12]\d{3}\b.{0,80}$"
    r"|copyright (?:[12]\d{3}|\(c\)).{0,40}(?:rights reserved|rechte vorbehalten).{0,3}$"
    r"|all rights reserved\W{0,3}$|alle rechte vorbehalten\W{0,3}$"
    r"|(?:accept (?:all )?cookies|cookie (?:policy|settings|preferences)"
    r"|(?:subscribe to|sign up (?:for|to)) (?:our|the) newsletter"
    r"|newsletter (?:abonnieren|anmelden)|share (?:this|on) (?:page|article|facebook|twitter)"
    r"|skip to (?:main )?content|back to top|nach oben|read more|print this page)[^\w\n]{0,3}$)"
)
"""Lines that say only this; inside a sentence it may be what is asked for."""
PAGE_NUMBER = re.compile(
    r"(?i)(?:page|seite|página|pagina|pág\.|strona|sida|side|стр\.) [0-9]{1,4}"
    r" ?(?:of|von|de|di|van|z|av|af|из|/|sur) ?[0-9]{1,4}$|[-–—] ?[0-9]{1,4} ?[-–—]$"
)
MOST_GREETED = 3  # words before a full stop
LONGEST_LINE = 60  # of a greeting, a closing, a name below it
LONGEST_FURNITURE, LONGEST_BANNER = 160, 400
BELOW_CLOSING = 6  # lines


def _spaces(text: str) -> str:
    return BLANK_LINES.sub("\n\n", SPACES_AT_END.sub("", text)).strip()


def _controls(text: str) -> str:
    return CONTROLS.sub("", text)


def _mojibake(text: str) -> str:
    """Return text with the lines that were UTF-8 and were read as Windows-1252 read aright.

    A line is proof by itself: all of its signs have to be the bytes of other signs, each of them
    assigned. One letter with a mark behind it, as in a word in capitals at the end of a quotation,
    proves nothing.
    """
    return text if text.isascii() else "\n".join(map(_reread, text.split("\n")))


def _reread(line: str) -> str:
    for _ in range(MOST_TIMES):
        runs = NOT_ASCII.findall(line)
        if not runs or (len(runs) == 1 and len(runs[0]) == 2 and runs[0][1] in BEHIND_LETTERS):
            break
        try:
            told = b"".join(map(_byte, line)).decode()
        except UnicodeError:
            break
        if any(unicodedata.category(one) in {"Cc", "Cn", "Co"} for one in told if one > "\x7f"):
            break
        line = told
    return line


def _byte(sign: str) -> bytes:
    return sign.encode("latin-1") if "\x80" <= sign <= "\x9f" else sign.encode("cp1252")


def _markup(text: str) -> str:
    """Return text without tags and with the signs that entities stand for, but not in code."""
    parts = text.split(FENCE)
    parts[::2] = [_without_markup(part) for part in parts[::2]]
    return FENCE.join(parts)


def _without_markup(text: str) -> str:
    if PROVES_TAGS.search(text):
        text = BLANK_LINES.sub("\n\n", TAG.sub(_instead, text)).strip("\n")
    return ENTITY.sub(lambda found: html.unescape(found[0]).replace("\xa0", " "), text)


def _instead(tag: re.Match[str]) -> str:
    name = tag[2].casefold()
    if name in {"br", "hr"} or (tag[1] and name in ENDING):
        return "\n"
    return "- " if name == "li" else " " if name in {"td", "th"} and tag[1] else ""


def _quoted(text: str) -> str:
    told, was_cut = ("", False) if FENCE in text else new_words(text)
    return told if was_cut else text


def _greeting(text: str) -> str:
    line, _, below = text.lstrip().partition("\n")
    line = line.strip()
    is_short = line.endswith(".") and len(line.split()) <= MOST_GREETED  # else it is a sentence
    is_whole = len(line) <= LONGEST_LINE and (is_short or line.endswith((",", "!", "，")))
    return below.lstrip() if below.strip() and is_whole and GREETING.match(line) else text


def _closing(text: str) -> str:
    """Return text up to a line that takes leave, where nothing but names stands below it."""
    lines = text.rstrip().split("\n")
    first = max(1, len(lines) - BELOW_CLOSING)
    for number in range(first, len(lines)):
        below = [line.strip() for line in lines[number:]]
        if lines[number - 1].rstrip().endswith(":"):
            continue  # it is what was announced: an example, an item of a list
        if CLOSING.match(below[0]) and all(len(line) <= LONGEST_LINE for line in below):
            return "\n".join(lines[:number]).rstrip()
    return text


def _furniture(text: str) -> str:
    lines = text.split("\n")
    kept = [line for line in lines if not is_furniture(line.strip())]
    return text if len(kept) == len(lines) else BLANK_LINES.sub("\n\n", "\n".join(kept)).strip()


def _page_numbers(text: str) -> str:
    """Return text without lines that only number a page; behind a colon one is an answer."""
    lines = text.split("\n")
    kept: list[str] = []
    for line in lines:
        told = next((one for one in reversed(kept) if one.strip()), "")
        if not PAGE_NUMBER.match(line.strip()) or told.rstrip().endswith(":"):
            kept.append(line)
    return text if len(kept) == len(lines) else BLANK_LINES.sub("\n\n", "\n".join(kept)).strip()


def _line_ends(text: str) -> str:
    return SPACES_AT_END.sub("", text)


def is_furniture(line: str) -> bool:
    """Say whether a line is a part of the page around a text, and no sentence of it."""
    if len(line) > LONGEST_FURNITURE:
        return bool(BANNER.match(line)) and len(line) <= LONGEST_BANNER and _asks(line)
    return bool(FURNITURE.match(line)) or (bool(BANNER.match(line)) and _asks(line))


def _asks(line: str) -> bool:
    return bool(CONSENT.search(line))


@dataclass(frozen=True, slots=True)
class Switch:
    """One thing that can be taken away; `clean` gives the same text where there is none of it."""

    label: str
    hint: str
    clean: Callable[[str], str]


SWITCHES = {
    "mojibake": Switch(
        "Characters that were read wrongly",
        "“cafÃ©” becomes “café”, where the bytes prove it",
        _mojibake,
    ),
    "controls": Switch(
        "Invisible control characters", "zero-width spaces, marks of files", _controls
    ),
    "markup": Switch("Left-overs of HTML", "tags and &nbsp;, but not in code", _markup),
    "quoted": Switch(
        "Quoted mails, signatures and marks of devices",
        "below “-- ”, “On … wrote:”, behind “>”",
        _quoted,
    ),
    "closing": Switch(
        "Lines that take leave, with the names below", "“Kind regards, Anna”", _closing
    ),
    "greeting": Switch("Lines that greet", "“Dear Anna,” above the text itself", _greeting),
    "furniture": Switch(
        "Lines about cookies and newsletters", "short lines of web pages", _furniture
    ),
    "page_numbers": Switch(
        "Lines that only number a page", "“Page 3 of 12”, “– 3 –”", _page_numbers
    ),
    "line_ends": Switch(
        "Spaces at line ends", "blank lines and indentation stay as they are", _line_ends
    ),
    "spaces": Switch(
        "Spaces at line ends, more than one blank line",
        "and around the text; other line breaks stay",
        _spaces,
    ),
}
"""In the order in which they act: each finds what those before it have left."""
PROFILES = {
    "chat": ("mojibake", "controls", "spaces"),
    "mail": ("mojibake", "controls", "markup", "quoted", "closing", "greeting", "spaces"),
    "legal": ("mojibake", "controls", "page_numbers", "spaces"),
    "web": ("mojibake", "controls", "markup", "furniture", "spaces"),
    "code": ("controls", "line_ends"),
}
PROFILE_NAMES = {
    "chat": "chats and transcripts",
    "mail": "mails",
    "legal": "legal texts",
    "web": "web pages",
    "code": "code",
}


@dataclass(frozen=True, slots=True)
class Cleaning:
    """The switches that are on. A turn of which nothing would be left stays as it is."""

    switches: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.switches or not set(self.switches) <= set(SWITCHES):
            raise CorpusError("Choose at least one thing to clean.")

    def as_json(self) -> dict[str, Any]:
        return {"switches": list(self.switches)}

    def cleaned(self, text: str) -> tuple[str, list[str]]:
        """Return a text and the switches that changed it."""
        acted = []
        for name, switch in SWITCHES.items():
            if name in self.switches:
                told = switch.clean(text)
                if told != text and told.strip():
                    text = told
                    acted.append(name)
        return text, acted

    def applied(self, conversation: Conversation) -> Conversation:
        """Return the conversation cleaned; the same where nothing is to be."""
        return Conversation(tuple(map(self._turn, conversation.turns)))

    def _turn(self, turn: Turn) -> Turn:
        text = self.cleaned(turn.text)[0] if turn.role in OF_ROLE else turn.text
        return turn if text == turn.text else replace(turn, text=text)

    def acted_in(self, conversation: Conversation) -> list[str]:
        """Return each switch once for each turn that it changes."""
        turns = (turn for turn in conversation.turns if turn.role in OF_ROLE)
        return [name for turn in turns for name in self.cleaned(turn.text)[1]]

    def count(self, conversation: Conversation) -> int:
        """Return how often a switch changes a turn."""
        return len(self.acted_in(conversation))

    def differences(self, conversation: Conversation) -> list[TurnDifference]:
        """Return the turns that would change, cut to what stands around."""
        found = []
        for turn in conversation.turns:
            after = self._turn(turn)
            if after is not turn:
                parts: list[Part] = [*word_difference(turn.text, after.text)]
                found.append(TurnDifference(turn.role, turn.role, tuple(shortened(parts))))
        return found


def wanted_of(stored: Mapping[str, Any]) -> Replacing | Cleaning:
    """Return what `as_json` of either gave."""
    if "switches" in stored:
        return Cleaning(tuple(stored["switches"]))
    return Replacing(**stored)
