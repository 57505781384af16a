"""OTTO's own API of uploads, datasets and versions; it shows what the pages show, to the same."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt

from datasets_app.corpus.conversation import CorpusError
from datasets_app.corpus.split import Shares
from datasets_app.models import Dataset, Upload, Version
from datasets_app.selectors.scores import status_counts
from datasets_app.services.versions import VersionOrder, order_version
from datasets_app.views import tus
from datasets_app.views.api_bodies import (
    DatasetBody,
    DatasetCounted,
    DatasetsAsked,
    FreezeVersion,
    UploadBody,
    UploadsAsked,
    VersionBody,
    VersionsAsked,
)
from otto_web.lib.access import Role, declares
from otto_web.lib.api.bodies import Listed, listed
from otto_web.lib.api.endpoints import Call, Endpoint, May, View, endpoint, resource
from otto_web.lib.api.errors import ApiError, error_answer
from otto_web.lib.tokens import Scope

LOOK = May(Scope.READ, Role.CURATOR)
SEND = May(Scope.UPLOADS, Role.CURATOR)
FREEZE = May(Scope.FREEZE, Role.CURATOR)

MOST_KEPT_BACK = 0.9  # of the rows, for validation and test together
TUS = "as tus 1.0"


# Uploads -----------------------------------------------------------------------------------------
@endpoint("GET", "The uploads, newest first", may=LOOK)
def uploads_list(call: Call, query: UploadsAsked) -> Listed[UploadBody]:
    rows = Upload.objects.visible_to(call.user).shown().order_by("-created_at")
    if query.status is not None:
        rows = rows.filter(state=query.status)
    return listed(rows, query, UploadBody.of)


@endpoint("GET", "An upload, and how far its import is", may=LOOK)
def upload_get(call: Call, upload_id: UUID) -> UploadBody:
    rows = Upload.objects.visible_to(call.user).shown()
    return UploadBody.of(get_object_or_404(rows, pk=upload_id))


def _of_tus(method: str, summary: str, status: int) -> Endpoint:
    """Return what the document says of a request that the protocol of uploads answers."""
    return Endpoint(method, summary, SEND, tus.tus_upload, status=status, media=TUS)


UPLOADS_BY_TUS = (_of_tus("POST", "Begin an upload (tus 1.0: creation)", 201),)
UPLOAD_BY_TUS = (
    _of_tus("PATCH", "Send the next piece of a file (tus 1.0)", 204),
    _of_tus("DELETE", "Take an upload back that has not arrived (tus 1.0: termination)", 204),
)


def _with_tus(shown: Endpoint, by_tus: View, documented: tuple[Endpoint, ...]) -> View:
    """Return the view of an address at which files are sent, too, by tus; refusals are JSON."""
    reading = resource(shown)

    def answering(request: HttpRequest, **names: UUID) -> HttpResponseBase:
        if request.method == "GET":
            return reading(request, **names)
        answer: HttpResponseBase = by_tus(request, **names)
        if answer.status_code >= 400:
            again = int(answer.get("Retry-After") or 0)
            sentence = answer.content.decode()  # type: ignore[attr-defined]
            refused = error_answer(ApiError(answer.status_code, sentence, again=again))
            refused["Tus-Resumable"] = tus.VERSION
            return refused
        if "Location" in answer:
            upload_id = answer["Location"].rpartition("/")[2]
            answer["Location"] = reverse("api-upload", args=[upload_id])
        return answer

    answering.endpoints = {one.method: one for one in (shown, *documented)}  # type: ignore[attr-defined]
    return declares("api")(csrf_exempt(answering))


uploads = _with_tus(uploads_list, tus.tus_collection, UPLOADS_BY_TUS)
upload = _with_tus(upload_get, tus.tus_upload, UPLOAD_BY_TUS)


# Datasets ----------------------------------------------------------------------------------------
@endpoint("GET", "The datasets, newest first", may=LOOK)
def datasets_list(call: Call, query: DatasetsAsked) -> Listed[DatasetBody]:
    rows = Dataset.objects.visible_to(call.user).filter(deleted_at=None).order_by("-created_at")
    if query.name:
        rows = rows.filter(name__icontains=query.name)
    return listed(rows, query, DatasetBody.of)


@endpoint("GET", "A dataset with its rows by status", may=LOOK)
def dataset_get(call: Call, dataset_id: UUID) -> DatasetCounted:
    found = _dataset(call, dataset_id)
    counts = dict(status_counts(found))
    return DatasetCounted(found.pk, found.name, found.created_at, counts)


def _dataset(call: Call, dataset_id: UUID) -> Dataset:
    rows = Dataset.objects.visible_to(call.user).filter(deleted_at=None)
    found: Dataset = get_object_or_404(rows, pk=dataset_id)
    return found


# Versions ----------------------------------------------------------------------------------------
@endpoint("GET", "The versions, newest first", may=LOOK)
def versions_list(call: Call, query: VersionsAsked) -> Listed[VersionBody]:
    rows = Version.objects.visible_to(call.user).filter(dataset__deleted_at=None)
    if query.dataset_id is not None:
        rows = rows.filter(dataset=query.dataset_id)
    if query.status is not None:
        rows = rows.filter(state=query.status)
    return listed(rows.order_by("-created_at"), query, VersionBody.of)


@endpoint("GET", "A version, and whether it is frozen yet", may=LOOK)
def version_get(call: Call, version_id: UUID) -> VersionBody:
    return VersionBody.of(get_object_or_404(Version.objects.visible_to(call.user), pk=version_id))


@endpoint(
    "POST",
    "Freeze a version of a dataset",
    may=FREEZE,
    status=202,
    refusals=(CorpusError,),
)
def version_freeze(call: Call, dataset_id: UUID, body: FreezeVersion) -> VersionBody:
    """Order it; a worker freezes the rows of that moment, and `status` says when it is done."""
    dataset = _dataset(call, dataset_id)
    shares = None
    if body.validation_share is not None or body.test_share is not None:
        validation, test = (
            given if given is not None else usual
            for given, usual in (
                (body.validation_share, dataset.validation_share),
                (body.test_share, dataset.test_share),
            )
        )
        if validation + test > MOST_KEPT_BACK:
            sentence = "Validation and test leave less than a tenth to learn from."
            raise ApiError(400, sentence, field="validation_share")
        shares = Shares(validation, test)
    order = VersionOrder(body.choice, body.name, body.note.strip(), shares, body.seed)
    return VersionBody.of(order_version(dataset, order, user=call.user))


datasets = resource(datasets_list)
dataset = resource(dataset_get)
dataset_versions = resource(version_freeze)
versions = resource(versions_list)
version = resource(version_get)
