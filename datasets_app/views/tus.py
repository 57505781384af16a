"""The resumable upload protocol tus 1.0: core, creation, expiration, checksum, termination."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.urls import reverse
from django.utils.http import http_date
from django.views.decorators.csrf import csrf_exempt

from datasets_app.corpus.detection.encoding import clean_text
from datasets_app.models import Purpose, Upload
from datasets_app.services import receiving, uploads
from datasets_app.services.receiving import Chunk, NewUpload, UploadError
from otto_web.lib.access import Role, declares, has_role
from otto_web.lib.http import TeamRequest
from otto_web.lib.tokens import Scope, TokenRefusedError, user_of
from otto_web.lib.work.states import State

VERSION = "1.0.0"
EXTENSIONS = "creation,expiration,checksum,termination"
CHUNK_TYPE = "application/offset+octet-stream"
Answer = Callable[..., HttpResponse]


class CsrfCheck(CsrfViewMiddleware):
    """The stock check, asked by hand because scripts with a token do not need it."""

    def _reject(self, request: HttpRequest, reason: str) -> HttpResponse:
        return refusal(403, f"This request did not come from OTTO's own pages: {reason}")


def _tus(request: HttpRequest) -> HttpResponse:
    """Stand for a view that wants the check."""
    return HttpResponse()


def refusal(status: int, sentence: str) -> HttpResponse:
    """Answer with one sentence."""
    answer = HttpResponse(sentence, status=status, content_type="text/plain; charset=utf-8")
    if status == 423:
        answer["Retry-After"] = "1"
    if status == 412:
        answer["Tus-Version"] = VERSION
    return answer


def _sign_in(request: HttpRequest) -> HttpResponse | None:
    """Find out who asks; a refusal when it is nobody who may upload."""
    if request.headers.get("Authorization"):
        try:
            request.user = user_of(request, Scope.UPLOADS)
        except TokenRefusedError as error:
            return _refused(error)
    elif not request.user.is_authenticated:
        return refusal(401, "Sign in, then send the file again.")
    else:
        check = CsrfCheck(_tus)
        check.process_request(request)
        rejected = check.process_view(request, _tus, (), {})
        if rejected is not None:
            return refusal(403, rejected.content.decode())
    if not has_role(request.user, Role.CURATOR):
        return refusal(403, "Only people of the role curator or above may upload files.")
    return None


def _refused(error: TokenRefusedError) -> HttpResponse:
    answer = refusal(error.status, str(error))
    if error.status == 401:
        answer["WWW-Authenticate"] = 'Bearer realm="OTTO"'
    if error.retry_after:
        answer["Retry-After"] = str(error.retry_after)
    return answer


def _serve(request: HttpRequest, methods: dict[str, Answer], *args: UUID) -> HttpResponse:
    """Check what every request must carry, then answer by its method."""
    method = str(request.method)
    if method == "POST":
        method = request.headers.get("X-HTTP-Method-Override", "").upper() or method
    if method == "OPTIONS":
        answer = _options()
    elif method not in methods:
        answer = refusal(405, f"{method} means nothing here.")
        answer["Allow"] = ", ".join(["OPTIONS", *methods])
    elif request.headers.get("Tus-Resumable") != VERSION:
        answer = refusal(412, f"Send the header Tus-Resumable: {VERSION}.")
    else:
        answer = _sign_in(request) or _answer(request, methods[method], *args)
    answer["Tus-Resumable"] = VERSION
    return answer


def _answer(request: HttpRequest, answer_it: Answer, *args: UUID) -> HttpResponse:
    try:
        return answer_it(request, *args)
    except UploadError as error:
        return refusal(error.status, str(error))


def _options() -> HttpResponse:
    return HttpResponse(
        status=204,
        headers={
            "Tus-Version": VERSION,
            "Tus-Extension": EXTENSIONS,
            "Tus-Max-Size": str(settings.OTTO_UPLOAD_LIMIT_BYTES),
            "Tus-Checksum-Algorithm": "sha1,sha256",
        },
    )


@csrf_exempt
@declares("tus")
def tus_collection(request: HttpRequest) -> HttpResponse:
    return _serve(request, {"POST": _create})


@csrf_exempt
@declares("tus")
def tus_upload(request: HttpRequest, upload_id: UUID) -> HttpResponse:
    return _serve(request, {"HEAD": _head, "PATCH": _patch, "DELETE": _delete}, upload_id)


def _create(request: TeamRequest) -> HttpResponse:
    known = read_metadata(request.headers.get("Upload-Metadata", ""))
    new = NewUpload(
        name=known.get("filename", ""),
        size=_whole_number(request, "Upload-Length"),
        claimed_type=known.get("filetype", ""),
        sha256=known.get("sha256", ""),
        dataset=known.get("dataset", ""),
        idem_key=known.get("idem", "")[:100] or None,
        purpose=_purpose(request, known.get("purpose", "")),
    )
    upload = receiving.create_upload(new, by=request.user)
    answer = HttpResponse(status=201)
    answer["Location"] = reverse("tus-upload", args=[upload.pk])
    _note_progress(answer, upload)
    return answer


def _purpose(request: TeamRequest, text: str) -> Purpose:
    """Return what the file is for; models are brought by those who train."""
    if text != Purpose.MODEL:
        return Purpose.DATA
    if not has_role(request.user, Role.TRAINER):
        raise UploadError(403, "Only people of the role trainer or above may bring a model.")
    return Purpose.MODEL


def _head(request: TeamRequest, upload_id: UUID) -> HttpResponse:
    upload = _own(request, upload_id)
    answer = HttpResponse()
    answer["Upload-Length"] = str(upload.size)
    answer["Upload-Metadata"] = write_metadata(upload)
    answer["Cache-Control"] = "no-store"
    _note_progress(answer, upload)
    return answer


def _patch(request: TeamRequest, upload_id: UUID) -> HttpResponse:
    if request.headers.get("Content-Type", "").split(";")[0].strip().lower() != CHUNK_TYPE:
        raise UploadError(415, f"A piece of a file is sent as {CHUNK_TYPE}.")
    length = request.headers.get("Content-Length", "")
    if not length.isdecimal() or int(length) > settings.OTTO_CHUNK_BYTES:
        limit = settings.OTTO_CHUNK_BYTES
        raise UploadError(413, f"One piece may have {limit:,} bytes; send the file in pieces.")
    offset = _whole_number(request, "Upload-Offset")
    chunk = Chunk(offset, int(length), request, request.headers.get("Upload-Checksum", ""))
    upload = receiving.write_chunk(upload_id, chunk, by=request.user)
    answer = HttpResponse(status=204)
    _note_progress(answer, upload)
    return answer


def _delete(request: TeamRequest, upload_id: UUID) -> HttpResponse:
    upload = _own(request, upload_id)
    if upload.state != State.RECEIVING:
        raise UploadError(410, "This upload has arrived; delete it on its page.")
    uploads.withdraw_upload(upload, by=request.user)
    return HttpResponse(status=204)


def _own(request: TeamRequest, upload_id: UUID) -> Upload:
    visible = Upload.objects.visible_to(request.user)
    upload: Upload | None = visible.filter(pk=upload_id, created_by=request.user).first()
    if upload is None:
        raise UploadError(404, "There is no such upload.")
    if upload.state == State.CANCELLED:
        raise UploadError(410, "This upload is gone. Start it again.")
    return upload


def _whole_number(request: HttpRequest, header: str) -> int:
    text = request.headers.get(header, "")
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise UploadError(400, f"The header {header} must be a whole number of bytes.")
    return int(text)


def _note_progress(answer: HttpResponse, upload: Upload) -> None:
    answer["Upload-Offset"] = str(upload.offset)
    if isinstance(upload.expires_at, datetime):
        answer["Upload-Expires"] = http_date(upload.expires_at.timestamp())


def read_metadata(header: str) -> dict[str, str]:
    """Return the pairs of an Upload-Metadata header, safe to store.

    Bytes that are no UTF-8 become U+FFFD.
    """
    pairs: dict[str, str] = {}
    for pair in filter(None, (part.strip() for part in header.split(","))):
        key, _, encoded = pair.partition(" ")
        try:
            value = base64.b64decode(encoded.strip(), validate=True)
        except ValueError as error:  # no base64, or not even ASCII
            raise UploadError(400, f"Upload-Metadata: “{key}” is not valid base64.") from error
        pairs[key] = clean_text(value.decode("utf-8", "replace")).text
    return pairs


def write_metadata(upload: Upload) -> str:
    pairs = {"filename": upload.name, "filetype": upload.claimed_type}
    return ",".join(
        f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in pairs.items()
    )
