"""Addresses of the frame: home, people, status, health."""

from __future__ import annotations

from django.urls import URLPattern, path

from otto_web.pages import auth, health, views

urlpatterns: list[URLPattern] = [
    path("sign-in/", auth.sign_in, name="sign-in"),
    path("sign-out/", auth.sign_out, name="sign-out"),
    path("welcome/<uidb64>/<token>/", auth.set_password, name="set-password"),
    path("people/", views.people_list, name="people-list"),
    path("people/new/", views.person_new, name="person-new"),
    path("people/audit/", views.audit_list, name="audit-list"),
    path("people/<int:person_id>/", views.person_detail, name="person-detail"),
    path("people/<int:person_id>/role/", views.person_role, name="person-role"),
    path("people/<int:person_id>/link/", views.person_link, name="person-link"),
    path("people/<int:person_id>/deactivate/", views.person_deactivate, name="person-deactivate"),
    path("people/<int:person_id>/reactivate/", views.person_reactivate, name="person-reactivate"),
    path("profile/", views.profile, name="profile"),
    path("profile/password/", auth.password_change, name="password-change"),
    path("status/", views.status, name="status"),
    path("help/", views.help_page, name="help"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]
