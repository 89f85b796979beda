"""The house rules of components, checked on every one there is."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import pulumi
import pytest

import components
from tests.unit.graph import CHECKOUT, Graph

MODULES = [name for _, name, package in pkgutil.walk_packages(components.__path__, "components.") if not package]
FORBIDDEN = {"os", "time", "random", "secrets", "socket", "subprocess"}
"""Modules that are configuration, clock or network."""


def snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def found() -> list[type[pulumi.ComponentResource]]:
    classes = []
    for name in MODULES:
        module = importlib.import_module(name)
        for _, cls in inspect.getmembers(module, inspect.isclass):
            if cls.__module__ == name and issubclass(cls, pulumi.ComponentResource):
                classes.append(cls)
    return classes


COMPONENTS = found()
ids = [cls.__name__ for cls in COMPONENTS]


def source(cls: type) -> ast.ClassDef:
    tree = ast.parse(Path(inspect.getfile(cls)).read_text())
    return next(node for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and node.name == cls.__name__)


def initializer(cls: type) -> ast.FunctionDef:
    return next(n for n in source(cls).body if isinstance(n, ast.FunctionDef) and n.name == "__init__")


def test_components_are_found() -> None:
    assert len(COMPONENTS) >= 21


@pytest.mark.parametrize("cls", COMPONENTS, ids=ids)
def test_signature_is_name_args_opts(cls: type[pulumi.ComponentResource]) -> None:
    signature = inspect.signature(cls)
    assert list(signature.parameters) == ["name", "args", "opts"]
    assert signature.parameters["args"].annotation == f"{cls.__name__}Args"
    assert signature.parameters["opts"].default is None
    args = getattr(importlib.import_module(cls.__module__), f"{cls.__name__}Args")
    assert dataclasses.is_dataclass(args)
    assert vars(args)["__dataclass_params__"].frozen


@pytest.mark.parametrize("cls", COMPONENTS, ids=ids)
def test_type_token_is_layer_and_class(cls: type[pulumi.ComponentResource]) -> None:
    call = next(
        node
        for node in ast.walk(initializer(cls))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "super().__init__"
    )
    layer = cls.__module__.split(".")[1]
    assert ast.literal_eval(call.args[0]) == f"sm-realtime:{layer}:{cls.__name__}"


@pytest.mark.parametrize("cls", COMPONENTS, ids=ids)
def test_outputs_are_registered_last_and_not_empty(cls: type[pulumi.ComponentResource]) -> None:
    last = initializer(cls).body[-1]
    assert isinstance(last, ast.Expr)
    assert isinstance(last.value, ast.Call)
    assert ast.unparse(last.value.func) == "self.register_outputs"
    assert ast.unparse(last.value.args[0]) != "{}"


@pytest.mark.parametrize("cls", COMPONENTS, ids=ids)
def test_outputs_are_declared_in_the_class_body(cls: type[pulumi.ComponentResource]) -> None:
    declared = {ast.unparse(n.target) for n in source(cls).body if isinstance(n, ast.AnnAssign)}
    assigned = {
        target.attr
        for node in ast.walk(initializer(cls))
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Attribute) and not target.attr.startswith("_")
    }
    assert assigned
    assert assigned <= declared


@pytest.mark.parametrize("cls", COMPONENTS, ids=ids)
def test_one_component_one_module_one_test_module(cls: type[pulumi.ComponentResource]) -> None:
    module = cls.__module__.rpartition(".")[2]
    assert snake(cls.__name__) == module
    assert [other for other in COMPONENTS if other.__module__ == cls.__module__] == [cls]
    layer = cls.__module__.split(".")[1]
    assert (CHECKOUT / "tests" / "unit" / "components" / layer / f"test_{module}.py").is_file()


@pytest.mark.parametrize("name", MODULES)
def test_nothing_ambient_is_read(name: str) -> None:
    tree = ast.parse(Path(str(importlib.import_module(name).__file__)).read_text())
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names} | {
        node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module
    }
    assert not imported & FORBIDDEN
    calls = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    assert not calls & {"pulumi.Config", "pulumi.get_stack", "pulumi.get_project", "open", "uuid.uuid1", "uuid.uuid4"}
    assert not [call for call in calls if call.endswith((".now", ".utcnow", ".today"))], "a clock is read"


@pytest.mark.parametrize("path", sorted((CHECKOUT / "components").rglob("*.py")), ids=lambda path: path.stem)
def test_a_module_is_short_enough_to_read(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 300


def test_children_belong_to_their_component_by_parent_and_name(graph: Graph) -> None:
    owners = {each.urn: each for each in graph.resources}
    for each in graph.resources:
        if not each.custom or each.type == "pulumi:providers:azure-native":
            continue
        owner = owners[each.parent]
        assert owner.type.startswith("sm-realtime:"), each.urn
        assert each.name.startswith(f"{owner.name}-"), each.urn
