"""Mixing: rows of several versions become one, with a share for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import transaction

from datasets_app.corpus.conversation import CorpusError
from datasets_app.corpus.mixing import check_shares
from datasets_app.models import Dataset, Version, VersionPart
from datasets_app.services.versions import write_version
from otto_web.lib import audit
from otto_web.lib.hints import hint
from otto_web.lib.work.states import State


@dataclass(frozen=True, slots=True)
class Mix:
    """What somebody wants to have mixed: versions with their shares in percent, the first at home.

    The mix gets the next number of the first one's dataset. Without `rows` it is as large as the
    shares allow.
    """

    parts: Sequence[tuple[Version, float]]
    rows: int | None = None
    seed: int = 0
    name: str = ""
    note: str = ""


@transaction.atomic(durable=True)
def order_mix(mix: Mix, *, by: User | None) -> Version:
    """Write down that a mix is wanted, for a worker; a CorpusError says why none can be."""
    version = new_mix(mix, by=by)
    hint(Version.job, version.pk)
    return version


def new_mix(mix: Mix, *, by: User | None) -> Version:
    """Write the order in the caller's transaction and wake nobody."""
    check_shares([share for _, share in mix.parts])
    sources = [source for source, _ in mix.parts]
    if len({source.pk for source in sources}) < len(sources):
        raise CorpusError("A version is chosen twice. Give it one share.")
    for source in sources:
        if source.state != State.SUCCEEDED:
            raise CorpusError(f"“{source.name}” is not frozen yet. Wait until it is.")
    home = Dataset.objects.select_for_update().get(pk=sources[0].dataset_id)
    version = write_version(
        home,
        by,
        name=mix.name or f"Mix of {' and '.join(source.name for source in sources)}"[:180],
        note=mix.note,
        split_seed=mix.seed,
        shares={split: _kept_back(mix, split) for split in ("validation", "test")},
    )
    VersionPart.objects.bulk_create(
        VersionPart(version=version, place=place, source=source, share=share, wanted=mix.rows)
        for place, (source, share) in enumerate(mix.parts, start=1)
    )
    told = {"name": version.name, "parts": [[one.name, share] for one, share in mix.parts]}
    audit.record(by, "mix", version, after=told)
    return version


def _kept_back(mix: Mix, split: str) -> float:
    """Return about which part of the mix a split will be: its parts keep what they kept back."""
    parts = [(source.counts, share) for source, share in mix.parts if source.counts.get("rows")]
    kept = (share * counts["splits"].get(split, 0) / counts["rows"] for counts, share in parts)
    return round(float(sum(kept)) / sum(share for _, share in mix.parts), 4)
