"""Addresses of this app."""

from __future__ import annotations

from django.urls import URLPattern, path

from datasets_app.views import (
    datasets,
    editing,
    exports,
    files,
    knowledge,
    mappings,
    repeats,
    replacing,
    rows,
    rules,
    saved_views,
    tags,
    tus,
    uploads,
    version_diff,
    versions,
)

urlpatterns: list[URLPattern] = [
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
    path("mappings/", mappings.mapping_list, name="mapping-list"),
    path("mappings/<int:mapping_id>/delete/", mappings.mapping_forget, name="mapping-forget"),
    path("files/<uuid:file_id>/told/", files.file_told, name="file-told"),
    path("files/<uuid:file_id>/speakers/", files.file_speakers, name="file-speakers"),
    path(
        "files/<uuid:file_id>/speakers/again/",
        files.file_speakers_again,
        name="file-speakers-again",
    ),
    path("files/<uuid:file_id>/encoding/", files.file_encoding, name="file-encoding"),
    path(
        "files/<uuid:file_id>/encoding/again/",
        files.file_encoding_again,
        name="file-encoding-again",
    ),
    path("files/<uuid:file_id>/anew/", files.file_anew, name="file-anew"),
    path("files/<uuid:file_id>/members/", files.file_members, name="file-members"),
    path("datasets/", datasets.dataset_list, name="dataset-list"),
    path("datasets/<uuid:dataset_id>/", rows.dataset_detail, name="dataset-detail"),
    path("datasets/<uuid:dataset_id>/facets/", rows.dataset_facets, name="dataset-facets"),
    path("datasets/<uuid:dataset_id>/views/", saved_views.view_save, name="view-save"),
    path("views/<int:view_id>/", saved_views.view_change, name="view-change"),
    path("datasets/<uuid:dataset_id>/decide/", rows.decide, name="rows-decide"),
    path("datasets/<uuid:dataset_id>/review/", rows.review, name="rows-review"),
    path(
        "datasets/<uuid:dataset_id>/c/<int:number>/",
        rows.conversation_detail,
        name="conversation-detail",
    ),
    path(
        "datasets/<uuid:dataset_id>/c/<int:number>/edit/",
        editing.row_edit,
        name="row-edit",
    ),
    path("datasets/<uuid:dataset_id>/replace/", replacing.words_replace, name="words-replace"),
    path(
        "datasets/<uuid:dataset_id>/replace/<int:order_id>/",
        replacing.replacement_detail,
        name="replacement-detail",
    ),
    path("datasets/<uuid:dataset_id>/write/", editing.row_write, name="row-write"),
    path(
        "datasets/<uuid:dataset_id>/actions/<int:action_id>/undo/",
        rows.undo,
        name="action-undo",
    ),
    path("datasets/<uuid:dataset_id>/repeats/", repeats.repeat_list, name="repeat-list"),
    path("datasets/<uuid:dataset_id>/repeats/find/", repeats.repeats_find, name="repeats-find"),
    path("datasets/<uuid:dataset_id>/repeats/copies/", repeats.repeat_copies, name="repeat-copies"),
    path(
        "datasets/<uuid:dataset_id>/repeats/<int:cluster_id>/",
        repeats.repeat_decide,
        name="repeat-decide",
    ),
    path(
        "datasets/<uuid:dataset_id>/repeats/<int:cluster_id>/undo/",
        repeats.repeat_undo,
        name="repeat-undo",
    ),
    path("datasets/<uuid:dataset_id>/history/", datasets.dataset_history, name="dataset-history"),
    path("datasets/<uuid:dataset_id>/tags/", tags.dataset_tags, name="dataset-tags"),
    path("datasets/<uuid:dataset_id>/rules/", rules.dataset_rules, name="dataset-rules"),
    path(
        "datasets/<uuid:dataset_id>/settings/", datasets.dataset_settings, name="dataset-settings"
    ),
    path("datasets/<uuid:dataset_id>/delete/", datasets.dataset_delete, name="dataset-delete"),
    path("datasets/<uuid:dataset_id>/export/", exports.dataset_export, name="dataset-export"),
    path(
        "datasets/<uuid:dataset_id>/download/<slug:layout>/",
        exports.dataset_download,
        name="dataset-download",
    ),
    path("datasets/<uuid:dataset_id>/versions/", versions.version_list, name="version-list"),
    path(
        "datasets/<uuid:dataset_id>/versions/preview/",
        versions.version_preview,
        name="version-preview",
    ),
    path("versions/<uuid:version_id>/note/", versions.version_note, name="version-note"),
    path("versions/<uuid:version_id>/", versions.version_detail, name="version-detail"),
    path(
        "versions/<uuid:version_id>/compare/",
        version_diff.version_compare,
        name="version-compare",
    ),
    path(
        "versions/<uuid:other_id>/diff/<uuid:version_id>/",
        version_diff.version_diff,
        name="version-diff",
    ),
    path("versions/<uuid:version_id>/delete/", versions.version_delete, name="version-delete"),
    path(
        "versions/<uuid:version_id>/knowledge/",
        knowledge.version_knowledge,
        name="version-knowledge",
    ),
    path(
        "versions/<uuid:version_id>/knowledge/build/",
        knowledge.knowledge_build,
        name="knowledge-build",
    ),
    path(
        "versions/<uuid:version_id>/download/<slug:layout>/",
        exports.version_download,
        name="version-download",
    ),
    path("versions/<uuid:version_id>/export/", exports.version_export, name="version-export"),
]
