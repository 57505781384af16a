"""Every encoding of text that Python has, in the groups in which people look for theirs."""

from __future__ import annotations

import codecs
import encodings
import pkgutil
from functools import cache

GROUPS = {
    "Unicode": "utf-8 utf-16-le utf-16-be utf-32-le utf-32-be utf-7",
    "Western Europe": "cp1252 iso8859-1 iso8859-15 cp850 cp858 cp437 mac-roman cp860 cp861 cp863 "
    "cp865 iso8859-14 mac-iceland",
    "Central Europe": "cp1250 iso8859-2 cp852 mac-latin2 iso8859-16 mac-croatian mac-romanian",
    "Baltic and Nordic": "cp1257 iso8859-13 iso8859-4 cp775 iso8859-10",
    "Cyrillic": "cp1251 koi8-r koi8-u cp866 iso8859-5 mac-cyrillic cp855 cp1125 kz1048 koi8-t "
    "ptcp154",
    "Greek": "cp1253 iso8859-7 cp737 cp869 mac-greek",
    "Turkish, Maltese, Esperanto": "cp1254 iso8859-9 cp857 mac-turkish iso8859-3",
    "Hebrew, Arabic, Persian": "cp1255 iso8859-8 cp862 cp1256 iso8859-6 cp720 cp864 mac-arabic "
    "mac-farsi",
    "Thai, Vietnamese": "cp874 tis-620 cp1258",
    "Chinese, Japanese, Korean": "gb18030 gbk gb2312 hz big5 big5hkscs cp950 cp932 shift_jis "
    "euc_jp iso2022_jp cp949 euc_kr johab iso2022_kr",
}
NO_TEXT = frozenset(
    {"idna", "punycode", "undefined", "unicode-escape", "raw-unicode-escape", "charmap"}
)
SAME_AS_ANOTHER = frozenset({"utf-16", "utf-32", "utf-8-sig", "ascii"})
"""What begins with a mark is known by it; what is ASCII is UTF-8 too."""


@cache
def groups() -> dict[str, tuple[str, ...]]:
    """Return the names of all encodings in their groups; the last group holds all others."""
    found = {title: tuple(names.split()) for title, names in GROUPS.items()}
    placed = {name for names in found.values() for name in names}
    others = _in_python() - placed - NO_TEXT - SAME_AS_ANOTHER
    return {**found, "Others": tuple(sorted(others))}


@cache
def names() -> frozenset[str]:
    """Return the names of all encodings in which a text can be read."""
    return frozenset(name for those in groups().values() for name in those)


def _in_python() -> set[str]:
    found = set()
    for module in pkgutil.iter_modules(encodings.__path__):
        try:
            "".encode(module.name)  # what turns no text into bytes says so
            found.add(codecs.lookup(module.name).name)
        except (LookupError, UnicodeError):
            continue
    return found
