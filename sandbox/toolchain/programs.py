"""What the plane is made of: every program, the Go module it comes from, and its key in the cache.

Versions live in the go.mod files beside this module; what is stamped into a program is read from there.
"""

from __future__ import annotations

import hashlib
import platform
import re
import sys
from dataclasses import dataclass
from pathlib import Path

MODULES = Path(__file__).resolve().parent


def required(go_mod: str, module: str) -> str:
    """The version of `module` a go.mod requires. Raises `LookupError` when it requires none."""
    found = re.search(rf"^\s*(?:require\s+)?{re.escape(module)}\s+(v\S+)", go_mod, re.MULTILINE)
    if found is None:
        raise LookupError(f"go.mod requires no {module}")
    return found.group(1)


def go_needed(go_mod: str) -> tuple[int, int]:
    """The Go release (major, minor) the `go` line of a go.mod asks for. Raises `LookupError` without one."""
    found = re.search(r"^go\s+(\d+)\.(\d+)", go_mod, re.MULTILINE)
    if found is None:
        raise LookupError("go.mod has no go line")
    return int(found.group(1)), int(found.group(2))


@dataclass(frozen=True)
class Program:
    """One executable: `package` of the Go module in `module`, linked with the version `stamps`."""

    name: str
    module: Path
    package: str
    version: str
    stamps: tuple[str, ...] = ()
    sources: Path | None = None
    """The folder of our own sources, when it is ours."""
    usually: str = "1 min"
    """How long a build with an empty Go cache takes on two cores; measured."""

    @property
    def go_mod(self) -> str:
        return (self.module / "go.mod").read_text()

    @property
    def linker_flags(self) -> str:
        return " ".join(["-s", "-w", *(f"-X {stamp}" for stamp in self.stamps)])

    def key(self) -> str:
        """A hash over everything the executable is a function of."""
        said = hashlib.sha256()
        files = [self.module / "go.mod", self.module / "go.sum"]
        if self.sources is not None:
            files += sorted(path for path in self.sources.rglob("*") if path.is_file())
        for file in files:
            content = file.read_bytes()
            said.update(f"{file.relative_to(self.module)} {len(content)}\n".encode() + content)
        said.update(f"{self.package} {self.linker_flags} {sys.platform} {platform.machine()}".encode())
        return said.hexdigest()[:12]


def kubernetes_stamps(version: str) -> tuple[str, ...]:
    """What makes the Kubernetes programs know their version ("v1.35.4"); without it the server reports none."""
    major, minor = version.removeprefix("v").split(".")[:2]
    root = "k8s.io/component-base/version"
    return f"{root}.gitVersion={version}", f"{root}.gitMajor={major}", f"{root}.gitMinor={minor}"


def programs(modules: Path = MODULES) -> list[Program]:
    """Every program of the plane, in the order in which they are built."""
    kubernetes, kwok, pulumi = (modules / name for name in ("kubernetes", "kwok", "pulumi"))
    kubernetes_go_mod = (kubernetes / "go.mod").read_text()
    version = required(kubernetes_go_mod, "k8s.io/kubernetes")
    stamps = kubernetes_stamps(version)
    etcd_version = required(kubernetes_go_mod, "go.etcd.io/etcd/server/v3")
    kwok_version = required((kwok / "go.mod").read_text(), "sigs.k8s.io/kwok")
    pulumi_version = required((pulumi / "go.mod").read_text(), "github.com/pulumi/pulumi/pkg/v3")

    def of_kubernetes(name: str, usually: str) -> Program:
        return Program(name, kubernetes, f"k8s.io/kubernetes/cmd/{name}", version, stamps, usually=usually)

    return [
        of_kubernetes("kube-apiserver", "4 min"),
        of_kubernetes("kube-controller-manager", "1 min"),
        of_kubernetes("kube-scheduler", "20 s"),
        of_kubernetes("kubectl", "30 s"),
        Program("etcd", kubernetes, "go.etcd.io/etcd/server/v3", etcd_version, usually="20 s"),
        Program(
            "kubelet-server", kubernetes, "./kubelet-server", version, stamps, kubernetes / "kubelet-server", "20 s"
        ),
        Program(
            "kwok",
            kwok,
            "sigs.k8s.io/kwok/cmd/kwok",
            kwok_version,
            (f"sigs.k8s.io/kwok/pkg/consts.Version={kwok_version}",),
        ),
        Program(
            "pulumi",
            pulumi,
            "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
            pulumi_version,
            (f"github.com/pulumi/pulumi/sdk/v3/go/common/version.Version={pulumi_version}",),
            usually="4 min",
        ),
    ]
