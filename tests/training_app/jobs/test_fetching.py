"""Packages are fetched by pip, which never outlives whoever wanted them."""

from __future__ import annotations

import multiprocessing
import socket

import pytest

from training_app.jobs.fetching import fetch_package


@pytest.mark.slow
def test_a_download_ends_with_the_worker_that_was_killed(tmp_path, settings):
    with socket.create_server(("127.0.0.1", 0)) as index:
        index.settimeout(60)
        address = f"http://127.0.0.1:{index.getsockname()[1]}"
        settings.OTTO_PIP_ARGS = f"--index-url {address} --isolated --timeout 600"
        worker = multiprocessing.get_context("fork").Process(
            target=fetch_package, args=("some-base==1.0", tmp_path / "work", print)
        )
        worker.start()
        pip, _ = index.accept()
        with pip:
            pip.settimeout(60)
            assert pip.recv(65_536).startswith(b"GET /some-base/")
            worker.kill()
            worker.join()
            assert pip.recv(65_536) == b""  # nobody waits for the answer any more
