"""Files that are made from the models: written, or checked to be fresh."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write(file: Path, text: str, mode: int = 0o644) -> None:
    """Write a file whole or not at all."""
    handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        Path(temporary).chmod(mode)
        Path(temporary).replace(file)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def is_fresh(file: Path, text: str) -> bool:
    """Whether a file is there and says just that."""
    return file.exists() and file.read_text(encoding="utf-8") == text
