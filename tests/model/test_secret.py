"""A secret is fetched by reference, and no text shows it in any of the forms that texts use."""

from __future__ import annotations

import base64
import copy
import html
import json
import os
import pickle
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intrabar.errors import SecretError
from intrabar.model import secret as module
from intrabar.model.secret import Secret, may_show, redact, redacted, resolve

VALUE = 'p@ss/w"ord+ü&<0>'
values = st.text(st.characters(blacklist_categories=["Cs"]), min_size=6, max_size=40).filter(
    lambda text: text.strip() == text and text != "***"
)


@pytest.fixture(autouse=True)
def _nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_forms", ())
    monkeypatch.setattr(module, "_bare", ())


def test_nothing_shows_it() -> None:
    secret = Secret(VALUE)
    for shown in (repr(secret), str(secret), f"{secret}", f"{secret!r:>5}"):
        assert "***" in shown
        assert VALUE not in shown
    assert VALUE.encode() not in pickle.dumps(secret)
    assert pickle.loads(pickle.dumps(secret)).reveal() == "***"
    assert copy.deepcopy(secret).reveal() == "***"
    assert secret.reveal() == VALUE


@given(values, st.text(max_size=5), st.text(max_size=5))
def test_every_form_is_taken_out(value: str, before: str, after: str) -> None:
    module._forms = module._bare = ()
    Secret(value)
    raw = value.encode()
    forms = [
        value,
        quote(value),
        quote(value, safe=""),
        quote_plus(value),
        quote(value, safe="").lower() if value.isascii() and value.islower() else value,
        json.dumps(value)[1:-1],
        json.dumps(json.dumps({"a": value}))[11:-4],
        html.escape(value),
        base64.b64encode(raw).decode(),
        base64.urlsafe_b64encode(raw).decode().rstrip("="),
    ]
    for form in forms:
        text = f"{before} {form} {after}"
        assert may_show(text)
        assert form not in redact(text)


@given(st.text("abcdefghij0123456789", min_size=9, max_size=30), st.text(max_size=7))
def test_within_a_longer_base64_text(value: str, user: str) -> None:
    module._forms = module._bare = ()
    Secret(value)
    text = "Basic " + base64.b64encode(f"{user}:{value}".encode()).decode()
    assert may_show(text)
    module._SIGNS, kept = (), module._SIGNS  # not by the pattern of `Basic`
    try:
        assert redact(text) != text
    finally:
        module._SIGNS = kept


def test_what_looks_like_a_key_is_taken_out() -> None:
    for text in (
        "Authorization: Bearer abcdef123456",
        "GET /q?apikey=ABCD1234&symbol=MSFT",
        '{"access_token": "0123456789", "x": 1}',
        '{\\"refresh_token\\": \\"0123456789\\"}',
        "password=hunter22",
    ):
        gone = redact(text)
        assert "***" in gone
        assert not any(
            word in gone for word in ("abcdef123456", "ABCD1234", "0123456789", "hunter22")
        )
    assert redact("GET /q?apikey=ABCD1234&symbol=MSFT").endswith("&symbol=MSFT")


def test_numbers_stay_and_texts_lose_it() -> None:
    Secret("100123")
    body = {"price": 100123, "text": "of 100123", "100123": [True, None, "x100123y", 1.5]}
    assert redacted(body) == {"price": 100123, "text": "of ***", "***": [True, None, "x***y", 1.5]}


def test_from_the_environment_and_from_files(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("from a file\n")
    file.chmod(0o600)
    assert resolve("${KEY}", "p", {"KEY": "from there"}).reveal() == "from there"
    assert resolve("${KEY}", "p", {"KEY_FILE": str(file)}).reveal() == "from a file"
    assert resolve(f"file:{file}", "p", {}).reveal() == "from a file"


@pytest.mark.parametrize(
    ("reference", "environment", "says"),
    [
        ("hunter22", {}, "reference"),
        ("${KEY:-hunter22}", {"KEY": "x"}, "default"),
        ("x${KEY}", {"KEY": "hunter22"}, "reference"),
        ("${KEY}", {}, "not set"),
        ("${KEY}", {"KEY": ""}, "empty"),
        ("${KEY}", {"KEY": "hunter22", "KEY_FILE": "/x"}, "both"),
        ("${KEY}", {"KEY": "hu"}, "short"),
        ("file:/no/such/file", {}, "cannot be read"),
        ("file:/", {}, "no file"),
        ("keyring:service/hunter22", {}, "in this version"),
        ("age:secrets.age#hunter22", {}, "in this version"),
        ("aws:x#hunter22", {}, "in this version"),
    ],
)
def test_what_does_not_resolve(reference: str, environment: dict[str, str], says: str) -> None:
    with pytest.raises(SecretError) as caught:
        resolve(reference, "config.yaml:3: live.notify[0]", environment)
    assert str(caught.value).startswith("config.yaml:3: live.notify[0]: ")
    assert says in str(caught.value)
    assert "hunter22" not in str(caught.value)


def test_files_that_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "key"
    cases = {b"": "empty", b"\n": "empty", b"\xff\xfe\xfd\xfc": "UTF-8", b"x" * 65_537: "64 kB"}
    for content, says in cases.items():
        file.write_bytes(content)
        file.chmod(0o600)
        with pytest.raises(SecretError, match=says):
            resolve(f"file:{file}", "p", {})
    if os.name == "posix":
        file.write_bytes(b"hunter22")
        file.chmod(0o640)
        with pytest.raises(SecretError, match="chmod 600"):
            resolve(f"file:{file}", "p", {})
