"""Addresses of this app."""

from __future__ import annotations

from django.urls import URLPattern, path

from training_app.views import (
    api_log_stream,
    api_models,
    api_runs,
    bases,
    comparing,
    model_tests,
    models,
    preparations,
    reports,
    run_actions,
    run_data,
    runs,
)

urlpatterns: list[URLPattern] = [
    path("runs/", runs.run_list_page, name="run-list"),
    path("runs/new/", runs.run_new, name="run-new"),
    path("runs/new/forecast/", runs.run_forecast, name="run-forecast"),
    path("runs/compare/", comparing.run_compare, name="run-compare"),
    path("runs/<uuid:run_id>/", runs.run_detail, name="run-detail"),
    path("runs/<uuid:run_id>/live/", runs.run_live, name="run-live"),
    path("runs/<uuid:run_id>/points/", run_data.run_points, name="run-points"),
    path("runs/<uuid:run_id>/logs.jsonl", run_data.run_log, name="run-log"),
    path("runs/<uuid:run_id>/settings.yaml", run_data.run_settings, name="run-settings"),
    path("runs/<uuid:run_id>/run.json", run_data.run_record_json, name="run-record"),
    path("runs/<uuid:run_id>/training_history.json", run_data.run_history, name="run-history"),
    path(
        "runs/<uuid:run_id>/checkpoints/<int:checkpoint_id>.zip",
        run_data.run_checkpoint,
        name="run-checkpoint",
    ),
    path("runs/<uuid:run_id>/report/", reports.run_report_page, name="run-report"),
    path("runs/<uuid:run_id>/report.html", reports.report_html, name="report-html"),
    path("runs/<uuid:run_id>/report.md", reports.report_md, name="report-md"),
    path("runs/<uuid:run_id>/report/link/", reports.report_link, name="report-link"),
    path("runs/<uuid:run_id>/report/unlink/", reports.report_unlink, name="report-unlink"),
    path("reports/<str:signature>/", reports.report_open, name="report-open"),
    path("runs/<uuid:run_id>/cancel/", run_actions.run_cancel, name="run-cancel"),
    path("runs/<uuid:run_id>/again/", run_actions.run_again, name="run-again"),
    path("runs/<uuid:run_id>/retry/", run_actions.run_retry, name="run-retry"),
    path("runs/<uuid:run_id>/continue/", run_actions.run_continue, name="run-continue"),
    path(
        "prepared/<uuid:preparation_id>/",
        preparations.preparation_detail,
        name="preparation-detail",
    ),
    path(
        "prepared/<uuid:preparation_id>/prepared.zip",
        preparations.preparation_download,
        name="preparation-download",
    ),
    path(
        "prepared/<uuid:preparation_id>/delete/",
        preparations.preparation_delete,
        name="preparation-delete",
    ),
    path("models/", models.model_list_page, name="model-list"),
    path("models/bases/", bases.base_list, name="base-list"),
    path("models/bases/take/", bases.base_take, name="base-take"),
    path("models/bases/<slug:name>/fetch/", bases.base_fetch, name="base-fetch"),
    path("models/bases/<uuid:base_id>/stop/", bases.base_stop, name="base-stop"),
    path("models/bases/<uuid:base_id>/delete/", bases.base_delete, name="base-delete"),
    path("models/<uuid:model_id>/", models.model_detail, name="model-detail"),
    path("models/<uuid:model_id>/comparison/", models.model_comparison, name="model-comparison"),
    path("models/<uuid:model_id>/measure/", models.model_measure, name="model-measure"),
    path("models/<uuid:model_id>/tests/", model_tests.model_test_list, name="model-tests"),
    path("models/<uuid:model_id>/tests/new/", model_tests.model_test_new, name="model-test-new"),
    path("tests/<uuid:test_id>/", model_tests.model_test_detail, name="model-test-detail"),
    path("testsets/", model_tests.test_set_list, name="test-set-list"),
    path(
        "testsets/<uuid:questions_id>/delete/", model_tests.test_set_delete, name="test-set-delete"
    ),
    path("models/<uuid:model_id>/model.zip", models.model_download, name="model-download"),
    path("models/<uuid:model_id>/delete/", models.model_delete, name="model-delete"),
    path("api/v1/runs", api_runs.runs, name="api-runs"),
    path("api/v1/runs/train", api_runs.train, name="api-train"),
    path("api/v1/runs/<uuid:run_id>", api_runs.run, name="api-run"),
    path("api/v1/runs/<uuid:run_id>/cancel", api_runs.cancel, name="api-run-cancel"),
    path("api/v1/runs/<uuid:run_id>/logs", api_runs.logs, name="api-run-logs"),
    path(
        "api/v1/runs/<uuid:run_id>/logs/stream",
        api_log_stream.log_stream,
        name="api-run-log-stream",
    ),
    path("api/v1/runs/<uuid:run_id>/eval", api_runs.newest_eval, name="api-run-eval"),
    path("api/v1/runs/<uuid:run_id>/evals", api_runs.evals, name="api-run-evals"),
    path("api/v1/models", api_models.models, name="api-model-list"),
    path("api/v1/models/<uuid:model_id>", api_models.model, name="api-model-detail"),
    path(
        "api/v1/artifacts/<slug:kind>/<uuid:artifact_id>", api_models.artifact, name="api-artifact"
    ),
    path(
        "api/v1/artifacts/<slug:kind>/<uuid:artifact_id>/download",
        api_models.download,
        name="api-artifact-download",
    ),
]
