"""Owns the changes that let ministack deploy template.yaml, and the checks of its parameters."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from local.problems import DeploymentProblem
from local.sandbox.aws.quotas import MAX_ENVIRONMENT_BYTES, MAX_PARAMETER_BYTES, measure

CHECKOUT = Path(__file__).resolve().parents[3]
TEMPLATE = CHECKOUT / "template.yaml"
FUNCTION = "AWS::Serverless::Function"
STATE_MACHINE = "AWS::Serverless::StateMachine"
BUCKET_POLICY = "AWS::S3::BucketPolicy"
TLS_ONLY = "TlsOnly"
SESSIONS = "arn:${AWS::Partition}:sts::${AWS::AccountId}:assumed-role"


class _Loader(yaml.SafeLoader):
    """A loader that expands CloudFormation's short tags, such as ``!Ref``, to their long forms."""


def _long_form(loader: _Loader, tag: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
        if tag == "GetAtt":
            value = str(value).split(".", 1)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)  # type: ignore[arg-type]
    return {tag if tag in {"Ref", "Condition"} else f"Fn::{tag}": value}


_Loader.add_multi_constructor("!", _long_form)


def read_template(path: Path = TEMPLATE) -> dict[str, Any]:
    """Read a CloudFormation template, and expand its short tags."""
    document: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 - a SafeLoader
    return document


def read_definition(template: Mapping[str, Any], folder: Path = CHECKOUT) -> dict[str, Any]:
    """Read the state machine's definition that the template names."""
    machine = next(each for each in template["Resources"].values() if each["Type"] == STATE_MACHINE)
    path = folder / machine["Properties"]["DefinitionUri"]
    definition: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return definition


def embed(
    template: Mapping[str, Any], definition: Mapping[str, Any], code: Mapping[str, str]
) -> dict[str, Any]:
    """Rewrite the real template for ministack, changing as little as possible.

    Image functions run from a zip with a bootstrap, and the definition is inlined. The schedules
    stay but are always disabled because ministack would start their runs, in UTC. The bucket's
    policy does not require TLS, which loopback does not have. It names the roles' sessions instead
    of the roles.

    Parameters
    ----------
    template, definition : mapping
        The results of `read_template` and `read_definition`, which stay unchanged.
    code : mapping
        ``Bucket`` and ``Key`` of the zip.
    """
    resources = {
        name: _embedded_resource(resource, definition, code)
        for name, resource in template["Resources"].items()
    }
    return {**template, "Resources": resources}


def locate_definition(template: Mapping[str, Any], location: Mapping[str, str]) -> dict[str, Any]:
    """Return the template with the S3 location of the state machine's definition."""
    resources = {
        name: {**each, "Properties": {**each["Properties"], "DefinitionUri": dict(location)}}
        if each["Type"] == STATE_MACHINE
        else each
        for name, each in template["Resources"].items()
    }
    return {**template, "Resources": resources}


def _embedded_resource(
    resource: Mapping[str, Any], definition: Mapping[str, Any], code: Mapping[str, str]
) -> dict[str, Any]:
    if resource["Type"] == FUNCTION:
        properties = dict(resource["Properties"])
        (handler,) = properties.pop("ImageConfig")["Command"]
        del properties["PackageType"]
        properties |= {"Runtime": "provided.al2023", "Handler": handler, "CodeUri": dict(code)}
        return {"Type": FUNCTION, "Properties": properties}
    if resource["Type"] == STATE_MACHINE:
        properties = {**resource["Properties"], "Definition": definition}
        del properties["DefinitionUri"]
        properties["Events"] = {
            name: {**event, "Properties": {**event["Properties"], "State": "DISABLED"}}
            for name, event in properties.get("Events", {}).items()
        }
        return {**resource, "Properties": properties}
    if resource["Type"] == BUCKET_POLICY:
        document = resource["Properties"]["PolicyDocument"]
        statements = [
            _naming_sessions(each) for each in document["Statement"] if each["Sid"] != TLS_ONLY
        ]
        policy = {**document, "Statement": statements}
        return {**resource, "Properties": {**resource["Properties"], "PolicyDocument": policy}}
    return dict(resource)


def check_values(template: Mapping[str, Any]) -> None:
    """Refuse a template that contains a null, as CloudFormation does but ministack does not.

    Raises
    ------
    DeploymentProblem
        If there is a null; the message names its path.
    """
    for path in null_paths(template):
        raise DeploymentProblem(
            f"template.yaml: {path} is null. 'null' values are not allowed in templates. Give it a "
            "value."
        )


def null_paths(value: object, path: str = "") -> list[str]:
    """Return the paths of a template's nulls, as names and positions joined by dots."""
    if value is None:
        return [path.removeprefix(".")]
    if isinstance(value, Mapping):
        items: Iterable[tuple[Any, object]] = value.items()
    else:
        items = enumerate(value) if isinstance(value, list) else ()
    return [found for key, each in items for found in null_paths(each, f"{path}.{key}")]


def _naming_sessions(statement: Mapping[str, Any]) -> dict[str, Any]:
    """Replace the roles that a statement exempts with their sessions.

    For a request from a role's session, aws:PrincipalArn is the role's ARN on AWS, but the
    session's ARN in ministack.
    """
    roles = statement["Condition"]["ArnNotEquals"]["aws:PrincipalArn"]
    sessions = [{"Fn::Sub": f"{SESSIONS}/${{{each['Fn::GetAtt'][0]}}}/*"} for each in roles]
    return {**statement, "Condition": {"ArnNotEquals": {"aws:PrincipalArn": sessions}}}


def check_parameters(template: Mapping[str, Any], values: Mapping[str, str]) -> None:
    """Check values against the template's parameters, as CloudFormation would.

    Raises
    ------
    DeploymentProblem
        If the template does not have a name or does not allow a value, or if a value is too long.
        The message has the nearest name or the allowed values.
    """
    known: Mapping[str, Mapping[str, Any]] = template["Parameters"]
    for name, value in values.items():
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(sorted(known))}"
            raise DeploymentProblem(f"template.yaml has no parameter {name}: {hint}")
        size = len(value.encode())
        if size > MAX_PARAMETER_BYTES:
            raise DeploymentProblem(
                f"{name} has {size:,} bytes, but CloudFormation allows {MAX_PARAMETER_BYTES:,}. "
                f"{_shorten(name)}"
            )
        allowed = known[name].get("AllowedValues")
        if allowed and value not in allowed:
            raise DeploymentProblem(f"{name}={value}: it must be one of {', '.join(allowed)}")
        pattern = known[name].get("AllowedPattern")
        if pattern and not re.fullmatch(pattern, value):
            why = known[name].get("ConstraintDescription", f"it must match {pattern}")
            raise DeploymentProblem(f"{name}={value}: {why}")
    missing = [
        name for name, fields in known.items() if "Default" not in fields and name not in values
    ]
    if missing:
        raise DeploymentProblem(f"template.yaml needs a value for {', '.join(missing)}")


def describe_environment(
    template: Mapping[str, Any], function: str, variables: Mapping[str, str]
) -> str:
    """Describe a function's oversized environment, and the parameter that takes up most of it."""
    shares = {name: measure({name: value}) for name, value in variables.items()}
    largest = max(shares, key=lambda name: shares[name])
    given = template["Resources"][function]["Properties"]["Environment"]["Variables"]
    references = re.findall(r'"Ref": "(\w+)"', json.dumps(given.get(largest)))
    name = next((each for each in references if each in template["Parameters"]), largest)
    return (
        f"the environment of {function} has {measure(variables):,} bytes as JSON, but Lambda "
        f"allows {MAX_ENVIRONMENT_BYTES:,}. {name} takes up {shares[largest]:,} bytes. "
        f"{_shorten(name)}"
    )


def _shorten(name: str) -> str:
    is_symbols = name in {"Symbols", "DenySymbols"}
    return f"Shorten {name}{', or name a list in functions/universes' if is_symbols else ''}."
