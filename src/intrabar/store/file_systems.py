"""Which file systems are shared over a network: there a lock proves nothing, and SQLite breaks."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from intrabar.errors import ConfigError

SHARED = re.compile(
    r"9p|acfs|afpfs|afs|beegfs|ceph|cephfs|cifs|coda|davfs|gfs2?|glusterfs|gpfs|lustre|ncpfs|nfs\d?|"
    r"ocfs2|orangefs|panfs|pvfs2|smb\d|smbfs|virtiofs|webdav|"
    r"fuse\.(ceph|gcsfuse|glusterfs|juicefs|mount-s3|rclone|s3fs|sshfs)"
)


def refuse_shared(folder: Path, place: str) -> None:
    """Refuse a folder that other machines may have open too.

    Raises
    ------
    ConfigError
        It is on a network file system.
    """
    kind = _kind(folder)
    if SHARED.fullmatch(kind):
        raise ConfigError(
            f"{place}: {folder} is on a network file system ({kind}), where no lock holds; "
            "name a folder on a disk of this machine"
        )


def _kind(folder: Path) -> str:
    """The file system on which a folder is, or will be; empty where nobody says."""
    whole = folder.absolute()
    while not whole.exists() and whole != whole.parent:
        whole = whole.parent
    whole = whole.resolve()
    if sys.platform == "linux":
        with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
            return kind_in(mounts_of_linux(file.read()), whole)
    if sys.platform == "darwin":
        found = subprocess.run(["/sbin/mount"], capture_output=True, text=True, check=False)
        return kind_in(mounts_of_darwin(found.stdout), whole)
    return "smb3" if _is_remote(whole) else ""


def mounts_of_linux(text: str) -> dict[str, str]:
    """Mount point -> file system, of the lines of `mountinfo`; the last of one point counts."""
    mounts = {}
    for line in text.splitlines():
        fields = line.split(" ")
        point = re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), fields[4])
        mounts[point] = fields[fields.index("-") + 1]
    return mounts


def mounts_of_darwin(text: str) -> dict[str, str]:
    """Mount point -> file system, of the lines of `mount`: `//x on /Volumes/x (smbfs, ...)`."""
    lines = re.findall(r"^.*? on (/.*) \(([^,)]+)", text, re.MULTILINE)
    return dict(lines)


def kind_in(mounts: dict[str, str], whole: Path) -> str:
    """The file system of the nearest mount above a path."""
    for folder in (whole, *whole.parents):
        if str(folder) in mounts:
            return mounts[str(folder)]
    return ""


def _is_remote(whole: Path) -> bool:
    if sys.platform != "win32":
        return False
    import ctypes

    remote = 4  # DRIVE_REMOTE
    drive = os.path.splitdrive(whole)[0]
    return drive.startswith("\\\\") or ctypes.windll.kernel32.GetDriveTypeW(drive + "\\") == remote
