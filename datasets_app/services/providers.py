"""Providers of language models: added and changed by admins, given turns, and asked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from datasets_app.corpus.conversation import CorpusError
from datasets_app.corpus.detection.encoding import clean_text
from datasets_app.corpus.providers.provider import Address, ProviderError, Reply, Wanted
from datasets_app.corpus.providers.registry import kind_of
from datasets_app.corpus.web.errors import WebError
from datasets_app.corpus.web.guard import Guard
from datasets_app.models import Provider
from datasets_app.services.sealing import seal, unseal
from otto_web.lib import audit

SHOWN = 4  # signs of a key; of a short one none
LONG_KEY = 12
TEST = ({"role": "user", "content": "Answer with the one word: ready"},)
TESTED = ("kind", "base_url", "model")  # what a test says of one says nothing of another
IN_CLEAR = (
    "Over http:// everybody on the way reads the key. Use https://, or leave the key out; an admin "
    "of this machine can allow it for a host that OTTO_PROVIDER_HOSTS names."
)
INSIDE = (
    "{error} An admin of this machine can allow it: OTTO_PROVIDER_HOSTS names hosts and networks "
    "inside that may be asked."
)


class ProviderRefusedError(CorpusError):
    """A provider that cannot be added or asked."""


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """What an admin says of a provider; an empty key keeps the one that is there."""

    name: str
    kind: str
    base_url: str
    model: str
    key: str = ""
    concurrency: int = 2
    per_minute: int = 60
    budget_tokens: int | None = None
    connect_seconds: float = 10.0
    reply_seconds: float = 120.0
    is_on: bool = True


@transaction.atomic(durable=True)
def save_provider(wanted: ProviderSettings, provider: Provider | None, *, by: User) -> Provider:
    """Add or change a provider; a key goes with its address, so another address needs it anew."""
    row = provider or Provider(created_by=by)
    before = None if provider is None else _told(provider)
    is_moved = provider is not None and _place(provider.base_url) != _place(wanted.base_url)
    if is_moved and provider and provider.sealed_key and not wanted.key:
        raise ProviderRefusedError("The address is another one now: enter the key for it.")
    _check_address(wanted.base_url, has_key=bool(wanted.key or row.sealed_key))
    if wanted.key or any(getattr(row, one) != getattr(wanted, one) for one in TESTED):
        row.tested_at, row.is_working, row.test_message = None, None, ""
    for field in ("name", "kind", "base_url", "model", "concurrency", "per_minute"):
        setattr(row, field, getattr(wanted, field))
    row.budget_tokens, row.is_on = wanted.budget_tokens, wanted.is_on
    row.connect_seconds, row.reply_seconds = wanted.connect_seconds, wanted.reply_seconds
    if wanted.key:
        row.sealed_key = seal(wanted.key)
        row.key_hint = wanted.key[-SHOWN:] if len(wanted.key) >= LONG_KEY else ""
    row.full_clean()
    row.save()
    audit.record(by, "provider.saved", row, before=before, after=_told(row))
    return row


@transaction.atomic(durable=True)
def remove_provider(provider: Provider, *, by: User) -> None:
    """Remove a provider and its key; one that made pairs stays as a name, switched off."""
    audit.record(by, "provider.removed", provider, before=_told(provider))
    if provider.generations.exists():
        Provider.objects.filter(pk=provider.pk).update(is_on=False, sealed_key="", key_hint="")
    else:
        provider.delete()


def _told(provider: Provider) -> dict[str, Any]:
    return {
        "name": provider.name,
        "base_url": provider.base_url,
        "model": provider.model,
        "key": "set" if provider.sealed_key else "",
        "is_on": provider.is_on,
    }


def _place(address: str) -> tuple[str, str]:
    """Return what a key is given to: the same host without TLS is another place."""
    parts = urlsplit(address)
    return parts.scheme, parts.netloc.casefold()


def guard() -> Guard:
    """Return where providers may be: public addresses, and what the operator named."""
    return Guard.of(settings.OTTO_PROVIDER_HOSTS)


def _check_address(base_url: str, *, has_key: bool) -> None:
    parts = urlsplit(base_url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username:
        raise ProviderRefusedError("An address begins with https:// (or http://) and a host.")
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
        guard().places(parts.hostname, port)
        if parts.scheme == "http" and has_key and not guard().is_named(parts.hostname, port):
            raise ProviderRefusedError(IN_CLEAR)
    except WebError as error:
        if error.code == "inside":
            raise ProviderRefusedError(INSIDE.format(error=error)) from error
    except ValueError as error:
        raise ProviderRefusedError("The port of the address is no number.") from error


def address_of(provider: Provider) -> Address:
    """Return where and how a provider is asked; raises CorpusError for one that cannot be."""
    if not provider.is_on:
        raise ProviderRefusedError(f"“{provider}” is switched off.")
    return Address(
        name=provider.name,
        base_url=provider.base_url,
        guard=guard(),
        key=unseal(provider.sealed_key, provider.name),
        connect_seconds=provider.connect_seconds,
        reply_seconds=provider.reply_seconds,
        ca_file=settings.OTTO_WEB_CA_FILE,
    )


def ask(provider: Provider, address: Address, wanted: Wanted) -> Reply:
    """Ask once, for text that may be stored; raises ProviderError.

    Needs no database, so any thread may.
    """
    kind = kind_of(provider.kind)
    if kind is None:
        raise ProviderError(f"Nothing here speaks to “{provider.kind}”.", is_final=True)
    reply = kind.load()(address, wanted)
    return replace(reply, text=clean_text(reply.text).text)


def seconds_to_turn(provider: Provider) -> float:
    """Take the next turn of a provider's minute; return how long to wait until it comes.

    Turns are spread evenly and counted in the row, so all workers together keep to the limit.
    """
    with transaction.atomic():
        row = Provider.objects.select_for_update().get(pk=provider.pk)
        now = timezone.now()
        turn: datetime = max(now, row.next_at or now)
        after = turn + timedelta(seconds=60 / row.per_minute)
        Provider.objects.filter(pk=row.pk).update(next_at=after)
    return (turn - now).total_seconds()


def count_tokens(provider: Provider, tokens: int) -> None:
    """Count what a reply took, inside the caller's transaction."""
    if tokens:
        Provider.objects.filter(pk=provider.pk).update(used_tokens=F("used_tokens") + tokens)


def is_spent(provider: Provider) -> bool:
    """Tell whether a provider's budget is used up."""
    spent = Provider.objects.filter(pk=provider.pk, used_tokens__gte=F("budget_tokens"))
    return spent.exists()


def test_provider(provider: Provider, *, by: User) -> bool:
    """Ask a provider for one word and note what came; False where none did."""
    try:
        reply = ask(provider, address_of(provider), Wanted(provider.model, TEST, max_tokens=20))
    except CorpusError as error:
        is_working, said = False, str(error)
    else:
        is_working = bool(reply.text.strip())
        words = " ".join(reply.text.split())[:80]
        said = f"It answered: {words}" if is_working else "It answered with nothing."
    with transaction.atomic(durable=True):
        Provider.objects.filter(pk=provider.pk).update(
            tested_at=timezone.now(), is_working=is_working, test_message=said
        )
        audit.record(by, "provider.tested", provider, after={"works": is_working})
    return is_working
