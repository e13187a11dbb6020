"""Certificates for a server of this machine, once for all tests."""

from __future__ import annotations

import ssl

import pytest

from intrabar.brokers.fakes.tls import contexts


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Of the server, and of a client that trusts it."""
    return contexts(tmp_path_factory.mktemp("tls"))
