"""The chat's deployed toy model, for the loop that ends in it."""

from __future__ import annotations

from tests.chat_app.conftest import deployment, proof_of_toy, toy_folder, toy_model  # noqa: F401
