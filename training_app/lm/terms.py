"""A text as terms: words, and numbers, prices, times, dates and codes in one spelling each."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from typing import Literal

Kind = Literal["word", "number", "price", "time", "date", "day", "colour", "code"]

_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_NUMBER_WORDS = {word: n for n, word in enumerate(_SMALL)} | {
    word: 10 * n for n, word in enumerate(_TENS, 2)
}
# before a unit only: some are other words too
_NUMBER_WORDS_ELSEWHERE = {
    word: number
    for number, words in {
        1: "ein eine einen einem einer un une una один одна одну",
        2: "zwei deux dos due два две двух اثنان اثنين 两 二 두",
        3: "drei trois tres tre три трёх трех ثلاثة ثلاث 三 세",
        4: "vier quatre cuatro quattro четыре أربعة أربع 四 네",
        5: "fünf cinq cinco cinque пять пяти خمسة خمس 五 다섯",
        6: "sechs six seis sei шесть шести ستة ست 六 여섯",
        7: "sieben sept siete sette семь семи سبعة سبع 七 일곱",
        8: "acht huit ocho otto восемь восьми ثمانية ثماني ثمان 八 여덟",
        9: "neun neuf nueve nove девять девяти تسعة تسع 九 아홉",
        10: "zehn dix diez dieci десять десяти عشرة عشر 十 열",
        12: "zwölf douze doce dodici двенадцать",
        14: "vierzehn quatorze catorce quattordici четырнадцать",
        15: "fünfzehn quinze quince quindici пятнадцать",
        20: "zwanzig vingt veinte venti двадцать عشرون عشرين",
        24: "vierundzwanzig",
        30: "dreißig trente treinta trenta тридцать ثلاثون ثلاثين",
    }.items()
    for word in words.split()
}
_TIMES_WORDS = {"hundred": 100, "thousand": 1000}
_UNITS = {
    name: (unit, factor)
    for unit, factor, names in (
        ("minute", 1, "minute minutes min mins minuten minuto minutos минута минуты минут минуту"),
        ("minute", 1, "دقيقة دقائق"),
        ("minute", 60, "hour hours hr hrs h stunde stunden heure heures hora horas"),
        ("minute", 60, "час часа часов ساعة ساعات 시간 ore"),
        ("minute", 1440, "day days tag tage tagen jour jours día días dia dias 天 giorno giorni"),
        ("minute", 1440, "werktag werktage werktagen arbeitstag arbeitstage arbeitstagen"),
        ("minute", 1440, "день дня дней يوم أيام ايام يوما 일"),
        ("minute", 10080, "week weeks woche wochen semaine semaines semana semanas settimane"),
        ("minute", 10080, "неделя недели недель неделю أسبوع أسابيع اسابيع 周 週 주"),
        ("month", 1, "month months monat monate monaten mois mes meses mesi"),
        ("month", 1, "месяц месяца месяцев شهر أشهر شهور 개월 달"),
        ("month", 12, "year years yr yrs jahr jahre jahren ans année années año años 年"),
        ("month", 12, "год года лет سنة سنوات عام أعوام 년"),
        ("gram", 1, "g gram grams gramm"),
        ("gram", 1000, "kg kilo kilos kilogram kilograms"),
        ("metre", 0.01, "cm centimetre centimetres centimeter centimeters"),
        ("metre", 1, "m metre metres meter meters"),
        ("metre", 1000, "km kilometre kilometres kilometer kilometers"),
        ("mile", 1, "mile miles"),
        ("litre", 0.001, "ml"),
        ("litre", 1, "l litre litres liter liters"),
        ("percent", 1, "percent prozent % pct"),
        ("degree", 1, "degree degrees ° °c °f grad"),
    )
    for name in names.split()
}
_BETWEEN = {"working", "business", "calendar", "full", "more", "whole", "consecutive", "рабочих"}
# behind digits, where a script puts no space between it and what follows; the longest first
_COUNTERS = {
    name: unit
    for unit, names in {
        "minute": "分钟 分鐘 分間 分 분",
        "hour": "个小时 個小時 小时 小時 時間 시간",
        "day": "个工作日 個工作日 工作日 营业日 營業日 日間 日 天 영업일 일",
        "week": "个星期 個星期 星期 週間 周 週 주",
        "month": "个月 個月 か月 ヶ月 カ月 개월 달",
        "year": "年間 年 년",
    }.items()
    for name in names.split()
}
_CONTINENTAL = re.compile(
    r"€|\d,\d\d?(?!\d)"
    r"|\b(?:der|das|und|ist|nicht|kostet|kosten|wir|sie|für|mit|les|des|est|vous|los|las|el|con|che"
    r"|il)\b",
    re.IGNORECASE,
)
_CONNECTORS = {
    *("to", "and", "or", "until", "till", "through", "bis", "und", "oder", "à", "a", "y", "e", "o"),
    *("до", "или", "и", "إلى", "الى", "أو", "至", "到"),
}
_CURRENCIES = {
    name: sign
    for sign, names in {
        "$": "$ us$ usd dollar dollars دولار",
        "€": "€ eur euro euros",
        "£": "£ gbp pound pounds",
        "¥": "¥ yen 円 元",
        "₹": "₹ inr rs rs. rupee rupees",
        "₩": "₩ won 원",
    }.items()
    for name in names.split()
}
_KNOWN_BETWEEN = {*_BETWEEN, *_CONNECTORS}
_DAYS = {
    name: day
    for day, names in enumerate(
        (
            "monday mondays mon montag montags lundi lunes",
            "tuesday tuesdays tue tues dienstag dienstags mardi martes",
            "wednesday wednesdays wed mittwoch mittwochs mercredi miércoles",
            "thursday thursdays thu thurs donnerstag donnerstags jeudi jueves",
            "friday fridays fri freitag freitags vendredi viernes",
            "saturday saturdays samstag samstags samedi sábado",
            "sunday sundays sonntag sonntags dimanche domingo",
        )
    )
    for name in names.split()
}
_MONTHS = {
    name: month
    for month, full in enumerate(
        (
            "january february march april may june july august september october november december"
        ).split(),
        1,
    )
    for name in (full, full[:3])
}
_COLOURS = {"gray": "grey"} | {
    name: name
    for name in (
        "black white grey red green blue yellow orange purple violet pink brown beige navy teal "
        "silver turquoise"
    ).split()
}
_FOR_A_WHILE = {"within", "in", "after", "takes", "take", "for", "about"}
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")

_NUMBER = r"\d+(?:[.,'’]\d+)*"
_SPACED = r"\d{1,3}(?:[ ]\d{3})+(?:,\d\d?)?(?=\s?(?:€|eur))"
_SIGNS = r"us\$|[$€£¥₹₩]|(?:usd|eur|gbp|inr|rs\.?)(?!\w)"
_COUNTER_NAMES = "|".join(sorted(_COUNTERS, key=len, reverse=True))
_CURRENCY_WORDS = (
    r"[$€£¥₹₩元円원]|(?:usd|eur|gbp|inr|dollars?|euros?|pounds?|rupees?|yen|won|دولار)(?!\w)"
)
_TERM = re.compile(
    rf"""
    (?P<link>(?<![\w.+-])[\w.+-]{{1,64}}@[\w-]+(?:\.[\w-]+)+|https?://\S+|www\.\S+)
    |(?P<iso>\d{{4}}-\d{{1,2}}-\d{{1,2}})(?!\d)
    |(?P<dmy>\d{{1,2}}[./]\d{{1,2}}[./]\d{{4}})(?!\d)
    |(?P<time>\d{{1,2}}(?::\d\d)?\s?(?:[ap]\.m\.|[ap]m(?!\w)|o['’]clock|uhr(?!\w))
        |\d{{1,2}}:\d\d(?!\d)|\d{{1,2}}\.\d\d\s?uhr(?!\w)|\d{{1,2}}h\d\d(?!\w))
    |(?P<price>(?:{_SIGNS})\s?{_NUMBER}|(?:{_SPACED}|{_NUMBER})\s?(?:{_CURRENCY_WORDS}))
    |(?P<phone>(?!(?:19|20)\d\d-(?:19|20)\d\d(?!\d))[+(]?(?=(?:\d[-().]?){{7}})\d[\d().-]*\d)
    |(?P<code>[a-z]+-?\d[a-z\d]*(?:-[a-z\d]+)*)
    |(?P<number>{_NUMBER})
        (?:\s?(?P<sign>%|°\s?[cf]?|{_COUNTER_NAMES})|(?:st|nd|rd|th)(?![a-z]))?
    |(?P<word>[^\W\d_]+(?:['’][^\W\d_]+)*)
    """,
    re.VERBOSE | re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"[.!?:;\n•“”\"(\[][\s'’\"“•*-]*$")
_LOOK_BACK = 12  # characters between a sentence's end and the next one's first word


@dataclass(frozen=True, slots=True)
class Term:
    """A word, or a fact with its value; `unit` of a price is its currency."""

    kind: Kind
    text: str  # as it was written
    value: str  # in one spelling
    number: float | None = None
    unit: str = ""
    factor: float = 1.0  # of the unit, to the smallest of its kind
    is_first: bool = False  # of its sentence

    @property
    def amount(self) -> float | None:
        """Return the number in the smallest unit of its kind."""
        return None if self.number is None else round(self.number * self.factor, 6)


def terms(text: str) -> list[Term]:
    """Return the terms of a text in their order; any text has some, or none."""
    text = plain_digits(unicodedata.normalize("NFKC", text))
    found = [term for match in _TERM.finditer(text) for term in _read(match, text)]
    return _with_dates(_with_units(_with_number_words(found)))


def plain_digits(text: str) -> str:
    """Return the text with the digits of every script as 0 to 9."""
    return "".join(
        str(unicodedata.digit(sign)) if sign.isdigit() and not sign.isascii() else sign
        for sign in text
    )


def _read(match: re.Match[str], text: str) -> list[Term]:
    written, kind = match.group(), match.lastgroup
    if kind == "word":
        before = text[max(0, match.start() - _LOOK_BACK) : match.start()]
        is_first = not before.strip() or bool(_SENTENCE_END.search(before))
        return _words(written, is_first=is_first)
    if kind in {"number", "sign"}:
        sign = (match["sign"] or "").replace(" ", "").lower()
        unit, factor = _UNITS.get(_COUNTERS.get(sign, sign), ("", 1.0))
        number = _as_float(match["number"], text)
        return [Term("number", written, f"{number:g}", number, unit, factor)]
    if kind in {"iso", "dmy"}:
        parts = [int(part) for part in re.findall(r"\d+", written)]
        year, month, day = parts if kind == "iso" else parts[::-1]
        return [Term("date", written, f"{year:04}-{month:02}-{day:02}")]
    if kind == "time":
        return [_time(written)]
    if kind == "price":
        return [_price(written, text)]
    return [Term("code", written, re.sub(r"[^\w@]", "", written.lower()))]


def _words(written: str, *, is_first: bool) -> list[Term]:
    """Return a word; of a script without spaces, each character."""
    if _UNSPACED.search(written):
        return [Term("word", sign, sign) for sign in written]
    value = written.casefold().replace("’", "'")
    if value in {"noon", "midday", "midnight"}:
        return [Term("time", written, "00:00" if value == "midnight" else "12:00")]
    if value in _DAYS and (len(value) > 4 or written[0].isupper()):
        return [Term("day", written, str(_DAYS[value]))]
    if value in _COLOURS:
        return [Term("colour", written, _COLOURS[value])]
    return [Term("word", written, value, is_first=is_first)]


def _as_float(digits: str, text: str) -> float:
    """Return the value: the last mark is a decimal one unless three digits follow a comma.

    Where the text writes decimals with a comma, three digits behind a dot are thousands.
    """
    digits = re.sub(r"['’ ]", "", digits)
    marks = re.findall(r"[.,]", digits)
    if re.search(r"^0,\d+$", digits):
        return float(digits.replace(",", "."))
    if re.search(r"^[1-9]\d{0,2}\.\d{3}$", digits) and _CONTINENTAL.search(text):
        return float(digits.replace(".", ""))
    if marks and (len(set(marks)) == 2 or marks == ["."] or re.search(r"^\d+,\d{1,2}$", digits)):
        whole, _, part = digits.rpartition(marks[-1])
        return float(f"{re.sub(r'[.,]', '', whole)}.{part}")
    return float(re.sub(r"[.,]", "", digits))


def _price(written: str, text: str) -> Term:
    digits = re.search(rf"{_SPACED}|{_NUMBER}", written)
    assert digits is not None  # noqa: S101 - the pattern of a price has one
    number = _as_float(digits.group(), text)
    sign = (written[: digits.start()] + written[digits.end() :]).strip().lower()
    return Term("price", written, f"{number:g}", number, _CURRENCIES.get(sign, sign))


def _time(written: str) -> Term:
    hour, *minutes = (int(part) for part in re.findall(r"\d+", written))
    minute = minutes[0] if minutes else 0
    if re.search(r"p\.?m", written, re.IGNORECASE) and hour < 12:
        hour += 12
    elif re.search(r"a\.?m", written, re.IGNORECASE) and hour == 12:
        hour = 0
    return Term("time", written, f"{hour:02}:{minute:02}", float(hour))


def _with_number_words(found: list[Term]) -> list[Term]:
    """Return the terms with “twenty five” as a number; “one” counts before a unit only."""
    out: list[Term] = []
    for place, term in enumerate(found):
        value = _word_as_number(found, place)
        if value is None:
            if not _times(out, term):
                out.append(term)
            continue
        before = out[-1] if out else None
        if before is not None and before.text.casefold() in _TENS and 0 < value < 10:
            number = (before.number or 0) + value
            out[-1] = Term("number", f"{before.text} {term.text}", f"{number:g}", number)
        else:
            out.append(Term("number", term.text, str(value), float(value)))
    return out


def _word_as_number(found: list[Term], place: int) -> int | None:
    """Return what a word counts; “one” does before a unit only, “a” in “within a week”."""
    term = found[place]
    following = found[place + 1].value if place + 1 < len(found) else ""
    if term.kind != "word":
        return None
    if term.value in {"a", "an"} and following in _UNITS and place:
        return 1 if found[place - 1].value in _FOR_A_WHILE else None
    if following in {*_UNITS, *_CURRENCIES, *_BETWEEN, *_CONNECTORS}:
        elsewhere = _NUMBER_WORDS_ELSEWHERE.get(term.value)
        if elsewhere is not None and (elsewhere > 1 or following in _UNITS):
            return elsewhere
    value = _NUMBER_WORDS.get(term.value)
    return None if value == 1 and following not in {*_UNITS, *_TIMES_WORDS} else value


def _times(out: list[Term], term: Term) -> bool:
    """Multiply the number before a “hundred” or “thousand”; tell whether there was one."""
    many = _TIMES_WORDS.get(term.value)
    if many is None or not out or out[-1].kind != "number" or out[-1].number is None:
        return False
    number = out[-1].number * many
    out[-1] = Term("number", f"{out[-1].text} {term.text}", f"{number:g}", number)
    return True


def _with_units(found: list[Term]) -> list[Term]:
    """Return the terms with units and currencies joined to their numbers, also in “5 to 7 days”."""
    out: list[Term] = []
    gap: list[Term] = []  # what stands between a number and what may be its unit
    for term in found:
        last = out[-1] if out else None
        if last is None or last.kind != "number" or last.unit:
            out.append(term)
            continue
        gap.append(term)
        if term.value in _UNITS or term.value in _CURRENCIES:
            _join(out, term)
        elif len(gap) == 1 and _is_of_other_script(term):
            out[-1] = replace(last, text=f"{last.text} {term.text}", unit=_as_unit(term.value))
        elif term.value in _BETWEEN and len(gap) == 1:
            continue
        elif term.kind in {"number", "price"} and all(one.value in _CONNECTORS for one in gap[:-1]):
            out.append(term)
        elif term.value in _CONNECTORS and len(gap) == 1:
            continue
        else:
            out += gap
        gap = []
    return out + gap


def _is_of_other_script(term: Term) -> bool:
    """Tell whether this is a word whose script is not Latin: what it counts is not known here."""
    return term.kind == "word" and term.value[0] > "\u0250" and term.value not in _KNOWN_BETWEEN


def _as_unit(word: str) -> str:
    """Return what a number counts by the beginning of its word, as endings bend with numbers."""
    return word[:3]


def _join(out: list[Term], term: Term) -> None:
    """Give the unit to the last number, and to the one that a range begins with."""
    last = out[-1]
    if term.value in _UNITS:
        unit, factor = _UNITS[term.value]
        joined = replace(last, text=f"{last.text} {term.text}", unit=unit, factor=factor)
    else:
        currency = _CURRENCIES[term.value]
        joined = replace(last, kind="price", text=f"{last.text} {term.text}", unit=currency)
    out[-1] = joined
    if len(out) > 1 and out[-2].kind == "number" and not out[-2].unit:
        out[-2] = replace(out[-2], kind=joined.kind, unit=joined.unit, factor=joined.factor)


def _with_dates(found: list[Term]) -> list[Term]:
    """Return the terms with “27 October 2026” and “October 27th” as dates."""
    out: list[Term] = []
    for term in found:
        last = out[-1] if out else None
        if last is not None and _is_day(last) and term.value in _MONTHS:
            out[-1] = Term("date", f"{last.text} {term.text}", _date(term.value, last))
        elif last is not None and last.kind == "word" and last.value in _MONTHS and _is_day(term):
            out[-1] = Term("date", f"{last.text} {term.text}", _date(last.value, term))
        elif last is not None and last.kind == "date" and _is_year(term) and len(last.value) == 5:
            out[-1] = Term("date", f"{last.text} {term.text}", f"{term.value}-{last.value}")
        else:
            out.append(term)
    return out


def _is_day(term: Term) -> bool:
    whole = term.kind == "number" and not term.unit and term.number is not None
    return whole and term.number in range(1, 32)


def _is_year(term: Term) -> bool:
    return term.kind == "number" and not term.unit and term.number in range(1900, 2100)


def _date(month: str, day: Term) -> str:
    return f"{_MONTHS[month]:02}-{int(day.number or 0):02}"
