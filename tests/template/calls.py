"""Owns which AWS calls a step can make, according to all source code that its handler reaches.

A node is a top-level function, class or value of a module. A node reaches every node that it names.
A class counts as a whole. If the source is unclear, the reader raises an error instead of skipping
a call.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache

from tests.support.checkout import CHECKOUT

FUNCTIONS = CHECKOUT / "functions"
CLIENT = ("algotrader.adapters.aws", "client")
NO_OPERATIONS = {"exceptions"}
PREFIX = re.compile(r"(runs|ledger|strategies)/")
PARAMETER = re.compile(r"[A-Z][A-Z0-9_]*_(PARAMETER|ARN)|BUCKET")

Node = tuple[str, str]


@dataclass(frozen=True)
class Module:
    """A source file: its top-level definitions, and the origin of its imported names."""

    name: str
    tops: dict[str, ast.AST] = field(default_factory=dict)
    imports: dict[str, Node] = field(default_factory=dict)


@dataclass(frozen=True)
class Calls:
    """The AWS calls of all nodes that a step reaches.

    Attributes
    ----------
    by_node : dict
        Calls as (service, operation), by the calling node.
    prefixes : dict
        Prefixes of keys in the bucket, by the function or class that contains them.
    variables : set of str
        Environment variables that name a resource.
    """

    by_node: dict[Node, set[tuple[str, str]]]
    prefixes: dict[Node, set[str]]
    variables: set[str]


def calls_of(step: str) -> Calls:
    """Collect the calls to everything of ours that a step's handler reaches."""
    nodes = reached((f"{step}.app", "lambda_handler"))
    by_node = {node: set(operations(node)) for node in nodes}
    return Calls(
        by_node={node: calls for node, calls in by_node.items() if calls},
        prefixes={
            node: found for node in nodes if not is_value(node) and (found := prefixes(node))
        },
        variables={name for node in nodes for name in texts(node) if PARAMETER.fullmatch(name)},
    )


@cache
def modules() -> dict[str, Module]:
    """Read every source file that ships."""
    found = {}
    for path in FUNCTIONS.rglob("*.py"):
        parts = path.relative_to(FUNCTIONS).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = _module(name, ast.parse(path.read_text(encoding="utf-8")))
    return found


def _module(name: str, tree: ast.Module) -> Module:
    module = Module(name)
    for each in tree.body:
        match each:
            case ast.FunctionDef() | ast.ClassDef():
                module.tops[each.name] = each
            case (
                ast.Assign(targets=[ast.Name(id=target)])
                | ast.AnnAssign(target=ast.Name(id=target))
            ):
                module.tops[target] = each
            case _:
                continue
    for each in ast.walk(tree):
        if isinstance(each, ast.ImportFrom) and each.module:
            for alias in each.names:
                module.imports[alias.asname or alias.name] = (each.module, alias.name)
        elif isinstance(each, ast.Import):
            for alias in each.names:
                module.imports[alias.asname or alias.name] = (alias.name, "")
    return module


def resolve(module: str, name: str) -> Node | None:
    """Find the node behind a name in a module; None if the name is not ours."""
    while (found := modules().get(module)) is not None:
        if name in found.tops:
            return module, name
        if name not in found.imports:
            return None
        module, name = found.imports[name]
        if f"{module}.{name}" in modules():
            return f"{module}.{name}", ""
    return None


def reached(start: Node) -> set[Node]:
    """Return a node and all nodes that it reaches."""
    seen: set[Node] = set()
    todo = [start]
    while todo:
        node = todo.pop()
        if node in seen:
            continue
        seen.add(node)
        todo += named_by(node)
    return seen


def named_by(node: Node) -> Iterator[Node]:
    """Yield the nodes that a node names, including attributes of modules."""
    module = node[0]
    for each in ast.walk(modules()[module].tops[node[1]]):
        if isinstance(each, ast.Name):
            found = resolve(module, each.id)
            if found is not None and found[1]:
                yield found
        elif isinstance(each, ast.Attribute) and isinstance(each.value, ast.Name):
            owner = resolve(module, each.value.id)
            if owner is not None and not owner[1]:
                inner = resolve(owner[0], each.attr)
                if inner is not None:
                    yield inner


def operations(node: Node) -> Iterator[tuple[str, str]]:
    """Yield the AWS operations that a node calls, as (service, operation).

    Raises
    ------
    AssertionError
        If the reader cannot follow a client.
    """
    if node == CLIENT:
        return
    tree = modules()[node[0]].tops[node[1]]
    parents = {child: each for each in ast.walk(tree) for child in ast.iter_child_nodes(each)}
    for each in ast.walk(tree):
        if isinstance(each, ast.Name) and resolve(node[0], each.id) == CLIENT:
            made = parents[each]
            assert isinstance(made, ast.Call), f"{node} passes on the function that makes clients"
            (argument,) = made.args
            assert isinstance(argument, ast.Constant), f"{node} makes a client from a variable"
            for operation in _uses(node, made, tree, parents):
                yield str(argument.value), operation


def _uses(
    node: Node, made: ast.Call, tree: ast.AST, parents: dict[ast.AST, ast.AST]
) -> Iterator[str]:
    """Yield the operations called on a client, directly or through a local name."""
    holder = parents[made]
    if isinstance(holder, ast.Attribute):
        yield _operation(node, holder, parents)
        return
    assert isinstance(holder, ast.Assign), f"{node} passes a client on"
    (target,) = holder.targets
    assert isinstance(target, ast.Name), f"{node} stores a client"
    for each in ast.walk(tree):
        if isinstance(each, ast.Name) and each.id == target.id and each is not target:
            user = parents[each]
            assert isinstance(user, ast.Attribute), f"{node} passes a client on"
            if user.attr not in NO_OPERATIONS:
                yield _operation(node, user, parents)


def _operation(node: Node, used: ast.Attribute, parents: dict[ast.AST, ast.AST]) -> str:
    call = parents[used]
    assert isinstance(call, ast.Call), f"{node} passes {used.attr} on"
    if used.attr != "get_paginator":
        return used.attr
    (argument,) = call.args
    assert isinstance(argument, ast.Constant), f"{node} makes a paginator from a variable"
    return str(argument.value)


def is_value(node: Node) -> bool:
    """Return whether a node is a value, not a function or a class."""
    return isinstance(modules()[node[0]].tops[node[1]], ast.Assign | ast.AnnAssign)


def texts(node: Node) -> Iterator[str]:
    """Yield the texts in a node, and in the constants that it names."""
    trees = [modules()[node[0]].tops[node[1]]]
    for module, name in named_by(node):
        if is_value((module, name)):
            trees.append(modules()[module].tops[name])
    for tree in trees:
        compared = {inner for each in ast.walk(tree) for inner in _compared_by(each)}
        for each in ast.walk(tree):
            match each:
                case ast.Constant(str(text)) if each not in compared:
                    yield text
                case _:
                    continue


def _compared_by(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the arguments of ``startswith``, because they are not keys of the bucket."""
    match node:
        case ast.Call(ast.Attribute(attr="startswith"), args):
            for each in args:
                yield from ast.walk(each)
        case _:
            return


def prefixes(node: Node) -> set[str]:
    """Return the prefixes of the bucket's keys in a node; a journal's prefix is runs/."""
    found = {match.group() for text in texts(node) if (match := PREFIX.match(text))}
    for each in ast.walk(modules()[node[0]].tops[node[1]]):
        match each:
            case ast.JoinedStr(
                [ast.FormattedValue(ast.Attribute(attr="journal")), ast.Constant(str(key)), *_]
            ):
                folder, slash, _ = key.partition("/")
                found.add(f"runs/*/{folder}/" if slash else "runs/")
            case ast.JoinedStr([ast.FormattedValue(ast.Attribute(attr="journal")), *_]):
                found.add("runs/")
            case _:
                continue
    return found
