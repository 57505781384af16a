"""Addresses of this app."""

from __future__ import annotations

from django.urls import URLPattern, path, re_path

from chat_app.views import (
    api,
    api_deployments,
    branches,
    chat_actions,
    chats,
    corrections,
    deployments,
    exports,
    logs,
    sharing,
)

urlpatterns: list[URLPattern] = [
    path("chat/", chats.chat_list, name="chat-list"),
    path("chat/new/", chats.chat_new, name="chat-new"),
    path("chat/<uuid:chat_id>/", chats.chat_detail, name="chat-detail"),
    path("chat/<uuid:chat_id>/ask/", chats.chat_ask, name="chat-ask"),
    path("chat/<uuid:chat_id>/stop/", chat_actions.chat_stop, name="chat-stop"),
    path("chat/<uuid:chat_id>/settings/", chat_actions.chat_settings, name="chat-settings"),
    path("chat/<uuid:chat_id>/logging/", chat_actions.chat_logging, name="chat-logging"),
    path("chat/<uuid:chat_id>/rename/", chats.chat_rename, name="chat-rename"),
    path("chat/<uuid:chat_id>/delete/", chats.chat_delete, name="chat-delete"),
    path(
        "chat/<uuid:chat_id>/answers/<uuid:message_id>/",
        chats.exchange_detail,
        name="exchange-detail",
    ),
    path(
        "chat/<uuid:chat_id>/answers/<uuid:message_id>/rate/",
        chat_actions.answer_rate,
        name="answer-rate",
    ),
    path(
        "chat/<uuid:chat_id>/answers/<uuid:message_id>/again/",
        branches.answer_again,
        name="answer-again",
    ),
    path(
        "chat/<uuid:chat_id>/answers/<uuid:message_id>/continue/",
        branches.answer_continue,
        name="answer-continue",
    ),
    path(
        "chat/<uuid:chat_id>/answers/<uuid:message_id>/correct/",
        corrections.answer_correct,
        name="answer-correct",
    ),
    path(
        "chat/<uuid:chat_id>/answers/<uuid:message_id>/judge/",
        corrections.answer_judge,
        name="answer-judge",
    ),
    path(
        "chat/<uuid:chat_id>/answers/<uuid:message_id>/read/",
        branches.answer_read,
        name="answer-read",
    ),
    path(
        "chat/<uuid:chat_id>/questions/<uuid:message_id>/edit/",
        branches.question_edit,
        name="question-edit",
    ),
    path(
        "chat/<uuid:chat_id>/messages/<uuid:message_id>/show/",
        branches.branch_show,
        name="branch-show",
    ),
    path("chat/<uuid:chat_id>/transcript/", branches.chat_transcript, name="chat-transcript"),
    path("chat/import/", sharing.chat_import, name="chat-import"),
    path("chat/shared/<uuid:share_key>/", sharing.chat_shared, name="chat-shared"),
    path("chat/<uuid:chat_id>/pin/", sharing.chat_pin, name="chat-pin"),
    path("chat/<uuid:chat_id>/share/", sharing.chat_share, name="chat-share"),
    path("chat/<uuid:chat_id>/chat.<slug:layout>", sharing.chat_download, name="chat-download"),
    path("deployments/", deployments.deployment_list, name="deployment-list"),
    path("deployments/new/", deployments.deployment_new, name="deployment-new"),
    path("deployments/<slug:alias>/", deployments.deployment_detail, name="deployment-detail"),
    path(
        "deployments/<slug:alias>/switch/",
        deployments.deployment_switch,
        name="deployment-switch",
    ),
    path(
        "deployments/<slug:alias>/knowledge/",
        deployments.deployment_knowledge,
        name="deployment-knowledge",
    ),
    path(
        "deployments/<slug:alias>/logging/",
        deployments.deployment_logging,
        name="deployment-logging",
    ),
    path(
        "deployments/<slug:alias>/starters/",
        deployments.deployment_starters,
        name="deployment-starters",
    ),
    path(
        "deployments/<slug:alias>/retire/",
        deployments.deployment_retire,
        name="deployment-retire",
    ),
    path("models/<uuid:model_id>/exports/", exports.model_exports, name="model-exports"),
    path(
        "models/<uuid:model_id>/exports/order/",
        exports.model_export_order,
        name="model-export-order",
    ),
    path(
        "models/<uuid:model_id>/exports/<slug:format_name>.zip",
        exports.model_export_download,
        name="model-export-download",
    ),
    path("logs/", logs.log_list, name="log-list"),
    path("logs/<uuid:message_id>/rate/", logs.log_rate, name="log-rate"),
    path("logs/log.json", logs.log_download, name="log-download"),
    path("api/v1/deployments", api_deployments.deployments, name="api-deployments"),
    path("api/v1/deployments/<slug:alias>", api_deployments.deployment, name="api-deployment"),
    path("v1/models", api.models, name="api-models"),
    path("v1/models/<str:alias>", api.one_model, name="api-model"),
    path("v1/chat/completions", api.chat_completions, name="api-chat"),
    path("v1/completions", api.completions, name="api-completions"),
    path("v1/embeddings", api.embeddings, name="api-embeddings"),
    re_path("^v1(?:/.*)?$", api.nothing_here, name="api-nothing"),
]
