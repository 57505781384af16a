"""Why a page is not fetched, or not kept: a code of each, with the sentence that people read."""

from __future__ import annotations

from datasets_app.corpus.conversation import CorpusError

REASONS: dict[str, str] = {
    "inside": "It lies in an internal network. The operator can allow its name.",
    "no_name": "Its name is not known: a slip in the address, or this machine has no internet.",
    "no_answer": "Nothing answers there.",
    "too_slow": "It did not arrive in the time that one page may take.",
    "bad_certificate": "Its certificate is not valid here. The operator can add a certificate.",
    "broken_off": "The answer broke off, or is not one of a web server.",
    "too_large": "It is larger than one page may be.",
    "odd_packing": "It is packed in a way that was not asked for.",
    "redirects": "It leads on and on, or back to itself.",
    "bad_redirect": "It leads to something that is no web address.",
    "bad_address": "It has an address that cannot be asked for.",
    "elsewhere": "It leads to another site.",
    "robots": "The site’s robots.txt asks machines not to fetch it.",
    "robots_away": "The site’s robots.txt could not be read, so nothing is fetched there.",
    "gone": "The site says that there is no such page.",
    "forbidden": "The site does not show it to everybody.",
    "refused": "The site did not give it.",
    "busy": "The site is overloaded or broken.",
    "media": "It is a picture, a sound, a program or an archive: no text.",
    "same_page": "It is a page that is here already, under another address.",
    "same_content": "It says the same as another page.",
    "too_short": "It says less than a page has to.",
    "needs_script": "It shows nothing without JavaScript.",
    "unread": "It could not be read.",
    "list": "It is the site’s list of its pages, which were found by it.",
    "circles": "Its address says the same again and again: such links never end.",
    "limit": "The limit of pages was reached before.",
    "stopped": "A person stopped the fetching before.",
}
SHORT: dict[str, str] = {
    "inside": "internal network",
    "no_name": "unknown name",
    "no_answer": "no answer",
    "too_slow": "too slow",
    "bad_certificate": "certificate",
    "broken_off": "broke off",
    "too_large": "too large",
    "odd_packing": "odd packing",
    "redirects": "leads in circles",
    "bad_redirect": "leads nowhere",
    "bad_address": "odd address",
    "elsewhere": "another site",
    "robots": "robots.txt",
    "robots_away": "robots.txt unreadable",
    "gone": "no such page",
    "forbidden": "not for everybody",
    "refused": "refused",
    "busy": "overloaded",
    "media": "no text",
    "same_page": "same page",
    "same_content": "same content",
    "too_short": "too short",
    "needs_script": "needs JavaScript",
    "unread": "unreadable",
    "list": "list of pages",
    "circles": "endless address",
    "limit": "limit reached",
    "stopped": "stopped",
}
"""The same in two words, for the buttons that narrow a list down."""
AGAIN = frozenset({"no_answer", "too_slow", "broken_off", "busy"})
"""What may be otherwise a little later."""


class WebError(CorpusError):
    """A page that did not come; `code` is one of REASONS, `pause` what the server asks to wait."""

    def __init__(self, code: str, message: str = "", *, status: int = 0, pause: float = 0) -> None:
        super().__init__(message or REASONS[code])
        self.code = code
        self.status = status
        self.pause = pause
