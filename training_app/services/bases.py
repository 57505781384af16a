"""What a person does with base models: order one, bring one, take one away."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, count
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils.text import slugify

from datasets_app.corpus.detection.encoding import clean_name
from datasets_app.models import Encoder, EncoderState, Knowledge, Upload
from datasets_app.services.knowledge import order_knowledge
from otto_web.lib import audit
from otto_web.lib.hints import hint
from otto_web.lib.work.claims import cancel, claim, finish, order_anew, renew
from otto_web.lib.work.states import State
from training_app.lm.bases.known import KnownBase, known_bases
from training_app.lm.config import TrainingError
from training_app.models import DELETED, Base, BaseKind, BaseSource, TrainedModel
from training_app.selectors.local_models import local_size
from training_app.services.results import next_number
from training_app.services.trained_models import ModelInUseError, delete_model

NOT_FETCHED = "not_fetched"
_NAMED = 5  # versions in a sentence
_CLAIMING, _ORDERING = 7702, 7703  # any numbers: locks under which bases are claimed and named


@transaction.atomic
def order_known(known: KnownBase, *, by: User | None) -> Base:
    """Order a package of the list, once; one that failed or was deleted is fetched anew."""
    values = {"source": BaseSource.PACKAGE, "bytes_done": 0, "bytes_total": known.package_bytes}
    return _order(known.name, values | _said_of(known), by=by)


def _said_of(known: KnownBase) -> dict[str, Any]:
    return {
        "kind": known.kind,
        "title": known.title,
        "spec": {"package": known.package, "sha256": known.sha256},
        "licence": known.licence,
        "languages": list(known.languages),
        "where_from": known.source,
    }


def _order(name: str, values: Mapping[str, Any], *, by: User | None) -> Base:
    fresh = {**values, "created_by": by}
    base, is_new = Base.objects.select_for_update().get_or_create(name=name, defaults=fresh)
    if not is_new:
        again = Base.objects.filter(pk=base.pk, state__in=(State.FAILED, State.CANCELLED))
        if not order_anew(again, **fresh, phase=""):
            return base
        base.refresh_from_db()
    audit.record(by, "base.ordered", base, after={"name": name, **base.spec})
    hint(Base.job, base.pk)
    return base


@transaction.atomic
def order_upload(upload: Upload) -> Base:
    """Order what somebody brought as a file that is here, once."""
    _in_turn(_ORDERING)
    ordered = Base.objects.filter(upload=upload).first()
    if ordered is not None:
        return ordered
    values = {"source": BaseSource.UPLOAD, "upload": upload, "spec": {"file": upload.name[:200]}}
    return _order_brought(upload.name, values, by=upload.created_by)


@transaction.atomic
def order_local(name: str, *, by: User | None) -> Base:
    """Order a file or folder of the local model folder, once.

    Raises FolderError where none is there.
    """
    size = local_size(name)
    _in_turn(_ORDERING)
    ordered = _at_work_or_here().filter(spec__local=name).first()
    if ordered is not None:
        return ordered
    values = {"source": BaseSource.LOCAL, "spec": {"local": name}, "bytes_total": size}
    return _order_brought(name, values, by=by)


def _order_brought(file_name: str, values: dict[str, Any], *, by: User | None) -> Base:
    stem = PurePosixPath(file_name.replace("\\", "/")).stem or file_name
    title = clean_name(stem, 120).strip() or "Model"
    name = slugify(title)[:60] or "model"
    names = set(_at_work_or_here().filter(name__startswith=name).values_list("name", flat=True))
    free = next(one for one in _numbered(name) if one not in names and one not in known_bases())
    return _order(free, {**_NOTHING_SAID, "title": title, **values}, by=by)


def _at_work_or_here() -> QuerySet[Base]:
    return Base.objects.exclude(state__in=(State.FAILED, State.CANCELLED))


_NOTHING_SAID = {"licence": "", "languages": [], "where_from": "", "bytes_done": 0, "kind": ""}


def _numbered(name: str) -> Iterator[str]:
    return chain([name], (f"{name}-{number}" for number in count(2)))


@transaction.atomic
def recognise(base: Base, known: KnownBase) -> None:
    """Note that what somebody brought is a package that OTTO knows: it takes that one's place.

    Raises TrainingError where that one is here already, or on its way.
    """
    same = Base.objects.select_for_update().filter(name=known.name).exclude(pk=base.pk)
    for other in same:
        if other.state == State.SUCCEEDED or other.is_under_way:
            raise TrainingError(f"{other} is here already, or on its way.")
        other.delete()
    said = _said_of(known)
    # what was brought stays named: another attempt has to find it again
    renew(base, name=known.name, **said | {"spec": base.spec | said["spec"]})


def order_missing() -> Sequence[Base]:
    """Order the packages of the list that never came; what a person took away stays away."""
    seen = Base.objects.exclude(state=State.FAILED, reason=NOT_FETCHED)
    names = set(seen.values_list("name", flat=True))
    missing = [known for name, known in known_bases().items() if name not in names]
    return [order_known(known, by=None) for known in missing]


@transaction.atomic(durable=True)
def claim_base(base_id: UUID | str) -> Base | None:
    """Take a base that waits, while no other is prepared: the short workers do more than this."""
    _in_turn(_CLAIMING)
    others = Base.objects.exclude(pk=base_id).filter(state=State.RUNNING, lease_until__gt=Now())
    return None if others.exists() else claim(Base, base_id)


def _in_turn(what: int) -> None:
    """Wait until no other transaction is at this."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [what])


@dataclass(frozen=True, slots=True)
class Made:
    """A durable folder that a base became, and what it says of itself."""

    id: UUID
    path: str  # relative to the data folder
    facts: Mapping[str, Any]
    manifest_sha256: str = ""


@transaction.atomic(durable=True)
def publish_language(base: Base, made: Made) -> TrainedModel:
    """Give the folder its model, and end the work: both, or nothing."""
    facts = made.facts
    model = TrainedModel.objects.create(
        pk=made.id,
        name=base.title,
        number=next_number(base.title),
        is_chat=bool(facts["is_chat"]),
        family=facts["family"],
        params=facts["parameters"],
        context=facts["context"],
        path=made.path,
        manifest_sha256=made.manifest_sha256,
        created_by=base.created_by,
    )
    because = str(facts.get("unservable", ""))
    served = {"is_servable": not because, "unservable_because": because}
    _end(base, BaseKind.LANGUAGE, made, model=model, **served)
    return model


@transaction.atomic(durable=True)
def publish_encoder(base: Base, made: Made) -> Encoder:
    """Give the folder its encoder, and end the work: both, or nothing."""
    facts = made.facts
    encoder = Encoder.objects.create(
        pk=made.id,
        name=base.title,
        path=made.path,
        dims=facts["dims"],
        max_tokens=facts["max_tokens"],
        languages=base.languages,
        sha256=facts["sha256"],
        precision=facts["precision"],
    )
    _end(base, BaseKind.ENCODER, made, encoder=encoder, is_servable=True)
    for by_words in Knowledge.objects.filter(encoder=None).select_related("version"):
        order_knowledge(by_words.version, by=base.created_by)
    return encoder


def _end(base: Base, kind: BaseKind, made: Made, **changes: Any) -> None:
    said = made.facts.get("said", {})
    finish(
        base,
        State.SUCCEEDED,
        kind=kind,
        figures=dict(made.facts),
        licence=base.licence or said.get("licence", ""),
        languages=base.languages or said.get("languages", []),
        phase="",
        bytes_done=base.bytes_total,
        **changes,
    )
    waiting = Base.objects.filter(state=State.QUEUED).order_by("queued_at").first()
    if waiting is not None:
        hint(Base.job, waiting.pk)


@transaction.atomic
def delete_base(base: Base, *, actor: User | None) -> None:
    """Take a base away; refused while a run, a deployment or knowledge is made of it.

    Raises TrainingError with the sentence. The sweeps free the disk.
    """
    locked = Base.objects.select_for_update().get(pk=base.pk)
    if locked.is_under_way:
        raise TrainingError(f"{locked} is on its way. Stop it first, or wait until it is here.")
    if locked.model is not None:
        delete_model(locked.model, actor=actor)
    if locked.encoder is not None:
        _refuse_used(locked.encoder)
        Encoder.objects.filter(pk=locked.encoder.pk).update(state=EncoderState.DELETED)
    gone = Base.objects.filter(pk=base.pk)
    cancel(gone, DELETED, model=None, encoder=None, phase="", bytes_done=0)
    audit.record(actor, "base.deleted", locked, before={"name": locked.name})


def _refuse_used(encoder: Encoder) -> None:
    """Raise ModelInUseError where questions are looked up by this encoder."""
    built = Knowledge.objects.filter(encoder=encoder).select_related("version__dataset")
    versions = ", ".join(str(row.version) for row in built[:_NAMED])
    if versions:
        raise ModelInUseError(
            f"{encoder} is in use: the knowledge of {versions} was built with it. Bring another"
            " encoder and build that knowledge again first."
        )


@transaction.atomic
def stop_base(base: Base, *, actor: User | None) -> None:
    """End a base that is on its way; what came of it so far goes."""
    going = Base.objects.on_the_way().filter(pk=base.pk)
    if cancel(going, DELETED, phase="", bytes_done=0):
        audit.record(actor, "base.stopped", base)
