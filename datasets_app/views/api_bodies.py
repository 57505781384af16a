"""What the API says of uploads, datasets and versions, and what it takes."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from datasets_app.corpus.split import SPLITS
from datasets_app.models import Choice, Dataset, Upload, Version
from otto_web.lib.api.bodies import Input, Paged
from otto_web.lib.work.states import State

Share = Annotated[float, msgspec.Meta(ge=0, le=0.5)]


class UploadsAsked(Paged, frozen=True):
    """Which uploads are listed, newest first."""

    status: State | None = None


class UploadBody(msgspec.Struct):
    """A file that somebody sent, and how far its import is."""

    id: UUID
    name: str
    size: int
    offset: int
    sha256: str
    status: State
    message: str
    dataset_id: UUID | None
    created_at: datetime

    @classmethod
    def of(cls, row: Upload) -> UploadBody:
        return cls(
            row.pk,
            row.name,
            row.size,
            row.offset,
            row.seen_sha256,
            State(row.state),
            row.sentence,
            row.dataset_id,
            row.created_at,
        )


class DatasetsAsked(Paged, frozen=True):
    """Which datasets are listed, newest first."""

    name: Annotated[str, msgspec.Meta(max_length=200, description="a part of the name")] = ""


class DatasetBody(msgspec.Struct):
    """A named table of conversations."""

    id: UUID
    name: str
    created_at: datetime

    @classmethod
    def of(cls, row: Dataset) -> DatasetBody:
        return cls(row.pk, row.name, row.created_at)


class DatasetCounted(DatasetBody):
    """A dataset with how many of its rows are kept, excluded, to be reviewed."""

    rows: dict[str, int]


class VersionsAsked(Paged, frozen=True):
    """Which versions are listed, newest first."""

    dataset_id: UUID | None = None
    status: State | None = None


class VersionBody(msgspec.Struct):
    """A frozen choice of a dataset's rows: what a run learns from."""

    id: UUID
    name: str
    number: int
    dataset_id: UUID
    status: State
    message: str
    splits: Annotated[dict[str, int], msgspec.Meta(description="rows by split")]
    characters: int
    quality: Annotated[int, msgspec.Meta(description="0 to 100")]
    sha256: Annotated[str, msgspec.Meta(description="of its manifest; empty until it is frozen")]
    created_at: datetime

    @classmethod
    def of(cls, row: Version) -> VersionBody:
        splits = row.counts.get("splits", {})
        return cls(
            row.pk,
            row.name,
            row.number,
            row.dataset_id,
            State(row.state),
            row.message,
            {name: int(splits.get(name, 0)) for name in SPLITS},
            int(row.counts.get("characters", 0)),
            round(100 * row.quality_score),
            row.manifest_sha256,
            row.created_at,
        )


class FreezeVersion(Input, frozen=True):
    """What somebody wants of a new version; shares that are left out are the dataset's."""

    name: Annotated[str, msgspec.Meta(max_length=200)] = ""
    note: Annotated[str, msgspec.Meta(max_length=2_000)] = ""
    choice: Choice = Choice.KEPT
    validation_share: Share | None = None
    test_share: Share | None = None
    seed: Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)] | None = None
