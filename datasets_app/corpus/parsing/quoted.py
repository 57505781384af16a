"""What of a mail's text is new: without the mails it answers, signatures and marks of devices."""

from __future__ import annotations

import re

_WROTE = re.compile(
    r"(?i)(?:wrote|writes|escribi[oó]|a écrit|scritto|scrisse|escreveu|kirjoitti|yazdı|пише|写道"
    r"|napisał(?:\(?a\)?)?|написал(?:\(а\)|а)?|のメッセージ|님이 작성"
    r"|(?:schrieb|schreef|skrev|napisał)\b.{0,120})\s?[:：]\s*\Z"
)
_BEGINS_WROTE = re.compile(
    r"(?i)\A\s*(?:on|am|le|el|il|em|op|den|dnia|w dniu|в|\d{1,4}[ ./年-]"
    r"|(?:mon|tue|wed|thu|fri|sat|sun|mo|di|mi|do|fr|sa|so|пн|вт|ср|чт|пт|с\u0431|вс)[^\W\d_]{0,9}[.,])"
)
_ORIGINAL = re.compile(
    r"(?i)\A\s*-{2,}\s?(?:original message|original-?nachricht|ursprüngliche nachricht"
    r"|mensaje original|message d['’]origine|messaggio originale|mensagem original"
    r"|oorspronkelijk bericht|wiadomość oryginalna|исходное сообщение|reply above this line"
    r"|原始邮件)\s?-{2,}\s*\Z"
)
_FORWARDED = re.compile(
    r"(?i)\A\s*-{2,}\s?(?:forwarded message|weitergeleitete nachricht|mensaje reenviado"
    r"|message transféré|begin forwarded message)\s?-{2,}\s*\Z"
)
_FROM = re.compile(r"(?i)\A[*_ ]*(?:from|von|de|da|van|od|från|от|发件人|差出人)\s?[*_]*[:：]\s?\S")
_FIELD = re.compile(
    r"(?i)\A[*_ ]*(?:sent|date|to|cc|subject|gesendet|datum|an|betreff|envoyé|à|objet|enviado|fecha"
    r"|para|asunto|inviato|data|oggetto|assunto|verzonden|aan|onderwerp|wysłano|do|temat|отправлено|кому"
    r"|тема|дата|发送时间|收件人|主题|from|von|de|antwort an|reply-to)\s?[*_]*[:：]"
)
_RULE = re.compile(r"\A[_=*-]{10,}\s*\Z")
_DEVICE = re.compile(
    r"(?i)\A(?:sent from my|sent from (?:outlook|mail|yahoo)|get outlook for"
    r"|von meinem .{1,40} gesendet|gesendet von|gesendet mit|envoyé de mon|enviado desde mi"
    r"|enviado do meu|inviato da|verzonden vanaf mijn|wysłane z|отправлено с|发自我的)"
)
FIELDS_BELOW = 4  # lines below the sender in which another field of a quoted head stands
LAST_LINES = 3  # in which the mark of a device stands


def new_words(text: str) -> tuple[str, bool]:
    """Return what is new in a mail, and whether anything was cut.

    A mail that only passes another on says what that one says.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    end = next((n for n in range(len(lines)) if _is_end(lines, n)), len(lines))
    kept = _without_signature([line for line in lines[:end] if not line.lstrip().startswith(">")])
    if any(line.strip() for line in kept):
        return _joined(kept), len(kept) < len(lines)
    rest = [line.lstrip("> ") for line in lines[end:] if not _is_head(line)]
    return _joined(_without_signature(rest)), True


def _is_end(lines: list[str], n: int) -> bool:
    """Say whether a mail that is answered begins in this line."""
    line = lines[n]
    if not line.strip() or line.lstrip().startswith(">"):
        return False
    if _ORIGINAL.match(line) or _FORWARDED.match(line) or _is_quoted_head(lines, n):
        return True
    return any(_is_wrote(lines[n : n + size]) for size in (1, 2, 3))


def _is_wrote(lines: list[str]) -> bool:
    """Say whether these lines are `On … Ben wrote:`, which programs break in two or three."""
    told = " ".join(line.strip() for line in lines)
    if not all(line.strip() for line in lines) or len(told) > 300:
        return False
    return bool(_WROTE.search(told) and _BEGINS_WROTE.match(told) and re.search(r"\d", told))


def _is_quoted_head(lines: list[str], n: int) -> bool:
    if not _FROM.match(lines[n]):
        return False
    below = lines[n + 1 : n + 1 + FIELDS_BELOW]
    return sum(bool(_FIELD.match(line)) for line in below) >= 2


def _is_head(line: str) -> bool:
    bare = line.lstrip("> ")
    is_mark = any(map(bool, (_ORIGINAL.match(bare), _FORWARDED.match(bare), _RULE.match(bare))))
    return is_mark or bool(_FIELD.match(bare)) or _is_wrote([bare])


def _without_signature(lines: list[str]) -> list[str]:
    """Cut at the mark of a signature, and what a device adds to the end."""
    end = next(
        (n for n, line in enumerate(lines) if n and line.rstrip("\r") in {"-- ", "--"}), None
    )
    kept = lines[:end]
    filled = [n for n, line in enumerate(kept) if line.strip()]
    for n in filled[-LAST_LINES:]:
        if _DEVICE.match(kept[n].strip()) or (_RULE.match(kept[n]) and n == filled[-1]):
            return kept[:n]
    return kept


def _joined(lines: list[str]) -> str:
    """Join lines, with one blank line where several stand."""
    told = re.sub(r"\n{3,}", "\n\n", "\n".join(line.rstrip() for line in lines))
    return told.strip()
