"""Addresses of the frame: people, the own profile, status, health."""

from __future__ import annotations

from django.urls import URLPattern, path

from otto_web.pages.selectors.topics import TOPICS
from otto_web.pages.views import api, auth, frame, health, people, tokens

urlpatterns: list[URLPattern] = [
    path("sign-in/", auth.sign_in, name="sign-in"),
    path("sign-out/", auth.sign_out, name="sign-out"),
    path("welcome/<uidb64>/<token>/", auth.set_password, name="set-password"),
    path("people/", people.people_list, name="people-list"),
    path("people/new/", people.person_new, name="person-new"),
    path("people/audit/", people.audit_list, name="audit-list"),
    path("people/<int:person_id>/", people.person_detail, name="person-detail"),
    path("people/<int:person_id>/role/", people.person_role, name="person-role"),
    path("people/<int:person_id>/link/", people.person_link, name="person-link"),
    path("people/<int:person_id>/deactivate/", people.person_deactivate, name="person-deactivate"),
    path("people/<int:person_id>/reactivate/", people.person_reactivate, name="person-reactivate"),
    path("profile/", frame.profile, name="profile"),
    path("profile/password/", auth.password_change, name="password-change"),
    path("profile/tokens/", tokens.token_list, name="token-list"),
    path("profile/tokens/<int:token_id>/revoke/", tokens.token_revoke, name="token-revoke"),
    path("people/tokens/", tokens.all_tokens, name="all-tokens"),
    path("status/", frame.status, name="status"),
    path("status/self-test/", frame.self_test, name="self-test"),
    path("help/", frame.help_page, name="help"),
    path("help/api/", frame.api_help, name="api-help"),
    path("help/own-api/", api.own_api_help, name="own-api-help"),
    path("api/v1/openapi.json", api.openapi, name="api-openapi"),
    *(
        path(
            f"help/{topic.replace('_', '-')}/",
            frame.help_topic,
            {"topic": topic},
            name=f"help-{topic.replace('_', '-')}",
        )
        for topic in TOPICS
    ),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]
