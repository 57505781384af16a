"""The chat's deployed toy model, for the loop that ends in it."""

from __future__ import annotations

from tests.chat_app.conftest import build_of_toy, deployment, toy_folder, toy_model  # noqa: F401
