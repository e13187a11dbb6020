"""Where a store is: what is refused, and with which words."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from intrabar.errors import ConfigError, SecretError
from intrabar.model.secret import Secret
from intrabar.store import file_systems
from intrabar.store.address import address_of
from intrabar.store.file_systems import (
    SHARED,
    kind_in,
    mounts_of_darwin,
    mounts_of_linux,
    refuse_shared,
)
from tests.databases import Database

PASSWORD = Secret("long enough")


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("", "no address"),
        ("journal.db", "no address"),
        ("mysql://u@h/d", "'mysql' is no known database"),
        ("sqlite://", "is a file"),
        ("sqlite:///:memory:", "is a file"),
        ("sqlite:///a.db?mode=memory", "unknown option 'mode'"),
        ("postgresql://db.example.org/d", "user and database are missing"),
        ("postgresql://u@db.example.org", "user and database are missing"),
        ("postgresql://u@db.example.org/d?sslmode=require", "sslmode=require"),
        ("postgresql://u@db.example.org/d?options=-c", "unknown option 'options'"),
        ("postgresql://u@db.example.org:port/d", "no address"),
    ],
)
def test_what_is_refused(url: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        address_of(url, PASSWORD)


def test_a_password_stands_apart() -> None:
    with pytest.raises(SecretError) as caught:
        address_of("postgresql://u:hunter22@h/d")
    assert "hunter22" not in str(caught.value)
    with pytest.raises(ConfigError, match=r"no password for u; set store\.password"):
        address_of("postgresql://u@h/d")
    address = address_of("postgresql://u@h/d", PASSWORD)
    assert str(address) == "postgresql://u@h/d"
    assert "long enough" not in repr(address)
    assert address.url.query == {"sslmode": "verify-full", "sslrootcert": "system"}
    assert not address_of("postgresql://u@127.0.0.1/d", PASSWORD).url.query
    assert address_of("postgresql://u@/d?host=/run/postgresql").password is None


def test_file_systems() -> None:
    linux = mounts_of_linux(
        "22 1 254:1 / / rw - ext4 /dev/vda1 rw\n"
        "23 22 0:30 / /mnt/a\\040b rw shared:1 - nfs4 host:/x rw\n"
        "24 23 0:31 / /mnt/a\\040b/local rw - xfs /dev/vdb rw\n"
    )
    assert kind_in(linux, Path("/mnt/a b/sessions/x")) == "nfs4"
    assert kind_in(linux, Path("/mnt/a b/local/x")) == "xfs"
    assert kind_in(linux, Path("/mnt")) == "ext4"
    darwin = mounts_of_darwin(
        "/dev/disk3s1 on / (apfs, local, journaled)\n//u@h/s on /Volumes/s t (smbfs, nodev)\n"
    )
    assert kind_in(darwin, Path("/Volumes/s t/x")) == "smbfs"
    assert kind_in(darwin, Path("/Users")) == "apfs"
    assert all(map(SHARED.fullmatch, ("nfs", "nfs4", "cifs", "smbfs", "smb3", "9p", "fuse.sshfs")))
    assert not any(map(SHARED.fullmatch, ("ext4", "xfs", "btrfs", "apfs", "overlay", "tmpfs", "")))


def test_a_shared_folder_is_refused(store: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_systems, "_kind", lambda _: "nfs4")
    with pytest.raises(ConfigError, match="network file system"):
        store.journal()
    assert os.listdir(store.folder) == []


def test_a_folder_here_is_not(tmp_path: Path) -> None:
    refuse_shared(tmp_path / "not" / "yet", "p")
