"""The audit trail in plain sentences, and what its page reads."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.models import User

from otto_web.lib.models import AuditEntry

PAGE_SIZE = 50
LARGEST_ID = 2**63 - 1
VERBS = {
    "add from log": "added exchanges of the log to",
    "base.deleted": "deleted",
    "authority.dropped": "trusts no more",
    "authority.trusted": "trusts",
    "base.ordered": "ordered",
    "base.stopped": "stopped",
    "build knowledge": "had known answers built from",
    "check answers": "had answers measured of",
    "choose precision": "chose the precision of",
    "continue pipeline": "continued",
    "create": "made",
    "create_first_admin": "made the first admin",
    "delete": "deleted",
    "deploy": "asked for a model behind",
    "download": "downloaded",
    "documents.bring": "brought",
    "documents.chunk": "had documents cut into",
    "documents.remove": "removed",
    "documents.retry": "tried the failed documents again of",
    "documents.stop": "stopped cutting",
    "export": "ordered an export of",
    "file.encoding": "chose the encoding of",
    "file.encoding_again": "chose another encoding of",
    "file.columns": "chose the columns of",
    "file.columns_again": "chose other columns of",
    "file.passages": "chose how passages become conversations in",
    "file.speakers": "said who speaks in",
    "file.speakers_again": "said anew who speaks in",
    "file.newer_reader": "had a newer reader read",
    "file.agreed_to_lose": "agreed to what reading anew takes away from",
    "file.kept_as_it_was": "kept as it was",
    "file.load_members": "loaded further files of",
    "find repeats": "had repeats looked for in",
    "folder.load": "had loaded",
    "freeze": "froze",
    "mapping.forgotten": "deleted",
    "mapping.saved": "kept",
    "mix": "mixed",
    "model.deleted": "deleted",
    "pairs.made": "had pairs made from",
    "pairs.retried": "tried failed chunks again of",
    "pairs.stopped": "stopped making",
    "provider.removed": "removed",
    "provider.saved": "saved",
    "provider.tested": "tested",
    "opinion.asked": "asked for a second opinion on",
    "opinion.closed": "ended a second opinion on",
    "opinion.settled": "settled a difference about",
    "person.created": "made the account of",
    "person.deactivated": "deactivated",
    "person.link_made": "made a one-time link for",
    "person.password_set": "set the password of",
    "person.reactivated": "reactivated",
    "person.role_changed": "changed the role of",
    "person.sign_in_failed": "failed to sign in as",
    "person.signed_in": "signed in as",
    "person.signed_out": "signed out as",
    "delete prepared": "deleted prepared data of",
    "delete tokenizer": "deleted",
    "evaluate": "had a model measured of",
    "make tokenizer": "had made",
    "prepare": "had prepared without a run",
    "scores.brought": "brought scores into",
    "scores.calibration": "drew pairs to label by hand from the scores of",
    "scores.cuts": "moved the cuts of the scores of",
    "scores.ordered": "had pairs scored of",
    "scores.stopped": "stopped the scoring of",
    "release starters": "chose the first questions of",
    "rename": "renamed",
    "share": "shared with the team",
    "share no more": "took back from the team",
    "report.linked": "made a link for everybody to the report of",
    "report.unlinked": "took back a link to the report of",
    "retire": "retired",
    "row.changed": "changed the words of",
    "row.joined": "joined the next one to",
    "row.split": "split",
    "row.written": "wrote",
    "run.cancelled": "cancelled",
    "run.queued": "queued",
    "test set.deleted": "deleted",
    "test set.made": "made",
    "test.ordered": "ordered a test of",
    "set defaults": "changed",
    "set knowledge": "chose the known answers of",
    "set note": "changed the note of",
    "set logging": "switched the logging of",
    "set usual": "chose the usual settings of new chats with",
    "set rules": "changed the rules of",
    "start pipeline": "started",
    "stop repeats": "stopped the search for repeats in",
    "switch": "put a model behind",
    "tag.deleted": "deleted a tag of",
    "tag.renamed": "renamed a tag of",
    "token.made": "made",
    "token.revoked": "revoked",
    "upload.delete": "deleted",
    "upload.load_again": "loaded again",
    "upload.retry": "tried again",
    "upload.start": "began",
    "web.cancelled": "dropped",
    "web.unchecked": "did not have certificates checked of",
    "web.fetch": "had fetched",
    "web.stopped": "stopped",
    "words.replaced": "replaced words in",
    "words.stopped": "stopped replacing words in",
}
KINDS = {
    "apitoken": "an API token",
    "base": "a base model",
    "chat": "a chat",
    "checkpoint": "a checkpoint",
    "chunkset": "chunks",
    "conversation": "a conversation",
    "dataset": "a dataset",
    "pairgeneration": "pairs of documents",
    "provider": "a provider of models",
    "deployment": "a deployment",
    "folderload": "files of the server",
    "logentry": "the log",
    "pipeline": "a pipeline",
    "run": "a run",
    "savedmapping": "a mapping of columns",
    "sourcefile": "a file",
    "teamdefault": "the team’s defaults of Run everything",
    "webauthority": "certificates",
    "testset": "a test set",
    "tokenizer": "a tokenizer",
    "trainedmodel": "a model",
    "upload": "an upload",
    "user": "a person",
    "version": "a version",
    "webfetch": "pages from the web",
}
FIRST_OF = {words: verb for verb, words in reversed(VERBS.items())}  # one choice for each wording
NUMBER = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")  # says nothing to a person
NAMED_BY = ("name", "username", "file", "model", "address", "role", "choice", "format", "added")


@dataclass(frozen=True, slots=True)
class Line:
    """One change as people read it."""

    id: int
    at: Any
    who: str
    sentence: str
    object_id: str
    details: str
    request_id: str


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which changes are shown; what an address says that makes no sense is left out."""

    person: str = ""
    verb: str = ""
    object: str = ""
    before: int = 0

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> Chosen:
        before = query.get("before", "")
        is_number = before.isascii() and before.isdigit() and len(before) < 20
        verb = query.get("verb", "")
        return cls(
            person=query.get("person", "")[:150].replace("\0", ""),
            verb=FIRST_OF[VERBS[verb]] if verb in VERBS else "",
            object=query.get("object", "")[:64].replace("\0", "").strip(),
            before=min(int(before), LARGEST_ID) if is_number else 0,
        )

    def query(self, before: int) -> str:
        parts = {"person": self.person, "verb": self.verb, "object": self.object, "before": before}
        return urlencode({name: value for name, value in parts.items() if value})


def line_of(entry: AuditEntry, names: Mapping[str, str]) -> Line:
    """Return an entry in words; `names` has the user names of people by number."""
    what = KINDS.get(entry.object_type, entry.object_type)
    if entry.object_type == "user":
        what = names.get(entry.object_id, "an unknown name" if not entry.object_id else what)
    who = entry.actor.get_username() if entry.actor else "the installation"
    if entry.verb == "person.sign_in_failed":
        who = "somebody"
    return Line(
        id=entry.pk,
        at=entry.at,
        who=who,
        sentence=f"{VERBS.get(entry.verb, entry.verb)} {what}",
        object_id="" if entry.object_type == "user" else entry.object_id,
        details=_details(entry),
        request_id=entry.request_id,
    )


def _details(entry: AuditEntry) -> str:
    before, after = entry.before or {}, entry.after or {}
    told = []
    for name in NAMED_BY:
        old, new = before.get(name), after.get(name)
        values = list(dict.fromkeys(str(one) for one in (old, new) if one not in (None, "")))
        if values and not any(NUMBER.fullmatch(value) for value in values):
            told.append(f"{name}: {' → '.join(values)}")
    return ", ".join(told)


def lines_of(entries: list[AuditEntry]) -> list[Line]:
    """Return entries in words; one query for the names of people."""
    numbers = {entry.object_id for entry in entries if entry.object_type == "user"}
    known = User.objects.filter(pk__in=[number for number in numbers if number.isdigit()])
    names = {str(pk): name for pk, name in known.values_list("pk", "username")}
    return [line_of(entry, names) for entry in entries]


def trail_page(chosen: Chosen) -> dict[str, Any]:
    """Return a page of the trail, newest first, from a place onwards."""
    entries = AuditEntry.objects.select_related("actor").order_by("-pk")
    exact = {"actor__username": chosen.person, "object_id": chosen.object}
    entries = entries.filter(**{name: value for name, value in exact.items() if value})
    if chosen.verb:
        alike = [verb for verb, words in VERBS.items() if words == VERBS[chosen.verb]]
        entries = entries.filter(verb__in=alike)
    if chosen.before:
        entries = entries.filter(pk__lt=chosen.before)
    found = list(entries[: PAGE_SIZE + 1])
    more = len(found) > PAGE_SIZE
    return {
        "chosen": chosen,
        "lines": lines_of(found[:PAGE_SIZE]),
        "following": chosen.query(found[PAGE_SIZE - 1].pk) if more else "",
        "verbs": [(verb, words) for words, verb in sorted(FIRST_OF.items())],
        "people": list(User.objects.order_by("username").values_list("username", flat=True)),
    }
