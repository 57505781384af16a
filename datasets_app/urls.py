"""Addresses of this app."""

from __future__ import annotations

from django.urls import URLPattern, path

from datasets_app.views import files, tus, uploads

upload_urls: list[URLPattern] = [
    path("uploads/", uploads.upload_list, name="upload-list"),
    path("uploads/tus/", tus.tus_collection, name="tus-collection"),
    path("uploads/tus/<uuid:upload_id>", tus.tus_upload, name="tus-upload"),
    path("uploads/<uuid:upload_id>/", uploads.upload_detail, name="upload-detail"),
    path("uploads/<uuid:upload_id>/delete/", uploads.upload_delete, name="upload-delete"),
    path("uploads/<uuid:upload_id>/again/", uploads.upload_again, name="upload-again"),
    path("files/<uuid:file_id>/", files.file_detail, name="file-detail"),
    path("files/<uuid:file_id>/columns/", files.file_columns, name="file-columns"),
    path(
        "files/<uuid:file_id>/columns/again/",
        files.file_columns_again,
        name="file-columns-again",
    ),
    path("files/<uuid:file_id>/encoding/", files.file_encoding, name="file-encoding"),
    path("files/<uuid:file_id>/members/", files.file_members, name="file-members"),
]
urlpatterns: list[URLPattern] = [*upload_urls]
