"""What the artist reads of an upload."""

from __future__ import annotations

from typing import Protocol

from .translation import count_text, tr
from .wording import duration_text


class UploadProgress(Protocol):
    """What a line about an upload needs of the native UploadProgress."""

    @property
    def found_files(self) -> int: ...
    @property
    def found_bytes(self) -> int: ...
    @property
    def hashed_files(self) -> int: ...
    @property
    def skipped_files(self) -> int: ...
    @property
    def skipped_bytes(self) -> int: ...
    @property
    def sent_bytes(self) -> int: ...
    @property
    def bytes_per_second(self) -> float: ...
    @property
    def seconds_left(self) -> float | None: ...


def upload_text(upload: UploadProgress) -> str:
    """One line for an upload: what it does now, how fast, how long still."""
    done = upload.sent_bytes + upload.skipped_bytes
    if upload.found_files and upload.skipped_files == upload.found_files:
        text = "Nothing to upload: all {count} files are there"
        if upload.found_files == 1:
            text = "Nothing to upload: the file is there"
        return tr(text, count=upload.found_files)
    if not upload.sent_bytes and upload.hashed_files < upload.found_files:
        return tr(
            "Reading {done} of {files}, {size}",
            done=upload.hashed_files,
            files=count_text(upload.found_files, "file"),
            size=bytes_text(upload.found_bytes),
        )
    sent, size = upload.sent_bytes, upload.found_bytes - upload.skipped_bytes
    parts = [tr("Uploading {sent} of {size}", sent=bytes_text(sent), size=bytes_text(size))]
    if upload.skipped_bytes:
        parts.append(tr("{size} were there", size=bytes_text(upload.skipped_bytes)))
    if upload.bytes_per_second and done < upload.found_bytes:
        parts.append(f"{bytes_text(round(upload.bytes_per_second))}/s")
        if upload.seconds_left is not None:
            parts.append(tr("{duration} left", duration=duration_text(upload.seconds_left)))
    return ", ".join(parts)


def bytes_text(count: int) -> str:
    """A count of bytes: "830 KB", "1.2 GB"."""
    size = float(count)
    for unit in ("bytes", "KB", "MB", "GB"):
        if size < 1000:
            number = f"{size:.0f}" if unit in ("bytes", "KB") else f"{size:.1f}"
            return f"{number} {tr('bytes') if unit == 'bytes' else unit}"
        size /= 1000
    return f"{size:.1f} TB"
