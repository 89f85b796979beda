"""nginx comes from a package of the requirements, and only the very program that is recorded."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from sandbox.cache import is_whole
from sandbox.ingress import executable
from sandbox.toolchain import ToolchainError, report
from tests.needed import missing


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SM_SANDBOX_CACHE", str(tmp_path))
    if executable.nginx(report()) is None:
        missing("nginx", executable.PACKAGE)
    return tmp_path


def test_it_runs_and_is_of_the_version_of_the_controllers_release(cache: Path) -> None:
    program = executable.nginx(report())
    assert program is not None
    assert program.is_relative_to(cache)
    said = subprocess.run([program, "-v"], capture_output=True, text=True, check=True).stderr
    assert said.strip() == f"nginx version: nginx/{executable.VERSION}"


def test_another_program_in_the_package_is_refused_and_never_taken_for_whole(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executable, "KNOWN", dict.fromkeys(executable.KNOWN, "0" * 64))
    for _ in range(2):
        with pytest.raises(ToolchainError, match="is not the one recorded"):
            executable.nginx(report())
    assert not any(is_whole(folder) for folder in cache.glob("nginx-*-000000000000"))


def test_without_the_package_that_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SM_SANDBOX_CACHE", str(tmp_path / "empty"))
    monkeypatch.setattr(executable, "PACKAGE", "no-such-package")
    with pytest.raises(ToolchainError, match=r"no-such-package of .* is not installed"):
        executable.nginx(report())


def test_elsewhere_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executable, "KNOWN", {})
    assert executable.nginx(report()) is None
