"""A secret that was fetched stands in no file: journal, tables, backup, archive, server."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from urllib.parse import quote

import pytest

from intrabar.journal.backup import backup
from intrabar.journal.verifying import verify
from intrabar.model import secret as module
from intrabar.model.entry import Entry
from intrabar.model.secret import Secret
from tests.databases import Database

VALUE = 'planted/"0"&key'


def test_planted_secrets_are_in_no_file(
    store: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_forms", ())
    monkeypatch.setattr(module, "_bare", ())
    secret = Secret(VALUE)
    forms = [
        VALUE,
        quote(VALUE, safe=""),
        json.dumps(VALUE),
        base64.b64encode(VALUE.encode()).decode(),
    ]
    journal = store.journal()
    for at, form in enumerate(forms):
        text = f"GET /?q={form} gave 401"
        body = {"ticket": f"c{at}", "requests": [{"url": text, "deep": [{form: 1}]}], "x": secret}
        journal.append([Entry(at, 0, 0, "intent", body)])
        answers = [{"kind": "refused", "text": text, "vendor_id": form}]
        journal.append([Entry(at, 0, 0, "outcome", {"ticket": f"c{at}", "outcomes": answers})])
        journal.append([Entry(at, 0, 0, "refused", {"command": at, "text": text, "rule": form})])
    assert next(journal.read()).body["x"] == "***"
    assert not verify(journal.store, deep=True)[0].why
    backup(journal.store, tmp_path / "backups", 0)
    journal.close()
    folders = [tmp_path]
    if store.kind == "postgres":
        store.server.run("CHECKPOINT")
        folders.append(store.server.folder)
    looked = 0
    for folder in folders:
        for file in folder.rglob("*"):
            if file.is_file():
                looked += 1
                content = file.read_bytes()
                assert not [form for form in forms if form.strip('"').encode() in content], file
    assert looked > 5
