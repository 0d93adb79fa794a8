"""Compares the client with the OpenAPI document of a running server: operations, parameters, bodies and answers."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import types
import typing
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any, get_args, get_origin, get_type_hints
from urllib.parse import unquote

import pytest

import mortise
from mortise import AsyncMortise, Mortise, SecretToken, Verification
from mortise._calls import AsyncGroup, Call, Listing, SyncGroup, listing, operation, read_all

from .mortise_server import PATIENT

# The native operations that the client does not have, each with the reason.
WITHOUT_CALL: dict[str, str] = {
    "exchangeSignInCode": "a person's program begins a session in the browser, as `mortise login --browser` does",
    "reportLeaks": "for finders of tokens, who have no key",
    "reportLeaksOfGitHub": "for GitHub, which signs its reports",
}

# The members of a body and the filters of a list that only some collections of keys have.
OF_SOME_KEYS = {"subject", "type", "permissions"}

# The members of an answer that the request can leave out.
OF_SOME_ANSWERS = {mortise.UsageRow: {"code", "key_id"}}


def groups(client: Any) -> list[Any]:
    """All groups of calls of a client, with names of path parameters instead of values."""
    return [
        client,
        client.organizations,
        client.workspaces,
        client.sessions,
        client.operator_keys,
        client.service_keys("{workspace}"),
        client.client_keys("{workspace}"),
        client.admin_keys("{organization}"),
        client.members("{organization}"),
        client.session_issuers("{organization}"),
        client.webhooks("{organization}"),
    ]


def declarations(group: Any) -> dict[str, operation | listing]:
    """The declared calls of a group by name."""
    found = {}
    for cls in type(group).__mro__:
        found |= {name: value for name, value in vars(cls).items() if isinstance(value, operation | listing)}
    return found


def argument(parameter: inspect.Parameter) -> Any:
    """A value for a parameter, which differs from its default."""
    annotation = str(parameter.annotation)
    if "Verification]" in annotation:
        return [Verification("t", ["read:a"], "192.0.2.1", "live", "n")]
    for fragment, value in [
        ("timedelta", timedelta(seconds=5)),
        ("datetime", datetime(2030, 1, 1, tzinfo=timezone.utc)),
        ("Mapping", {"a": 1}),
        ("Sequence", ["x"]),
        ("int", 5),
    ]:
        if fragment in annotation:
            return value
    return "{" + parameter.name + "}"


def built(group: Any, declaration: operation | listing) -> Call[Any] | Listing[Any]:
    """The call of a declaration with a value for each parameter."""
    build = declaration.__get__(None, type(group))
    parameters = list(inspect.signature(build).parameters.values())[1:]
    return build(group, **{parameter.name: argument(parameter) for parameter in parameters})


@pytest.fixture(scope="module")
def calls() -> dict[tuple[str, str], Call[Any] | Listing[Any]]:
    """The calls of the client by method and path."""
    result = {}
    for group in groups(Mortise("http://127.0.0.1:1", None)):
        for declaration in declarations(group).values():
            call = built(group, declaration)
            method, path = ("GET", call.page("c").path) if isinstance(call, Listing) else (call.method, call.path)
            assert (method, unquote(path)) not in result
            result[method, unquote(path)] = call
    return result


@pytest.fixture(scope="module")
def document(server) -> dict[str, Any]:
    with Mortise(server.url, None, **PATIENT) as client:
        return client.openapi()


@pytest.fixture(scope="module")
def operations(document) -> dict[tuple[str, str], dict[str, Any]]:
    return {(method.upper(), path): o for path, item in document["paths"].items() for method, o in item.items()}


def test_every_native_operation_is_reachable(calls, operations):
    missing = {operations[key]["operationId"] for key in operations.keys() - calls.keys()}
    assert missing == WITHOUT_CALL.keys()
    assert calls.keys() <= operations.keys()
    assert len(operations) > 60


def test_both_clients_have_the_same_calls():
    clients = (Mortise("http://127.0.0.1:1", None), AsyncMortise("http://127.0.0.1:1", None))
    for blocking, asynchronous in zip(*(groups(client) for client in clients), strict=True):
        assert isinstance(blocking, SyncGroup)
        assert isinstance(asynchronous, AsyncGroup)
        assert declarations(blocking) == declarations(asynchronous)
        public = [{name for name in dir(group) if not name.startswith("_")} for group in (blocking, asynchronous)]
        assert public[0] == public[1]


def test_every_parameter_can_be_sent_and_no_other(calls, operations):
    for key, call in calls.items():
        declared = {p["name"] for p in operations[key].get("parameters", []) if p["in"] != "path"}
        request = call.page("c") if isinstance(call, Listing) else call
        sent = {name for name, _ in request.query} | ({"Idempotency-Key"} if request.idempotency_key else set())
        assert declared == sent - (OF_SOME_KEYS if "-keys" in key[1] else set()) | (declared & OF_SOME_KEYS & sent), key


def test_every_member_of_a_body_can_be_sent_and_no_other(calls, operations, document):
    for key, call in calls.items():
        body = None if isinstance(call, Listing) else call.body
        content = operations[key].get("requestBody", {}).get("content", {})
        if not content:
            assert body is None, key
            continue
        schema = resolve(document, content["application/json"]["schema"])
        declared, sent = set(schema["properties"]), set(body or {})
        assert declared == sent - (OF_SOME_KEYS if "-keys" in key[1] else set()) | (declared & OF_SOME_KEYS & sent), key
        if key[1] == "/v1/verify/batch":
            item = resolve(document, schema["properties"]["requests"]["items"])
            assert set(item["properties"]) == set(body["requests"][0])


def test_answers_have_the_members_and_types_of_the_document(calls, operations, document):
    checked = set()
    for key, call in calls.items():
        answers = [answer for status, answer in operations[key]["responses"].items() if status.startswith("2")]
        success = next((answer for answer in answers if "content" in answer), answers[0])
        schema = resolve(document, success.get("content", {}).get("application/json", {}).get("schema", {}))
        if isinstance(call, Listing):
            compare(document, call.item, schema["properties"]["data"]["items"], checked)
            assert set(schema["properties"]) == {"data", "next_cursor"}
        elif isinstance(call.read, functools.partial) and call.read.func is read_all:
            compare(document, call.read.args[0], schema["properties"]["data"]["items"], checked)
        elif isinstance(call.read, functools.partial):
            compare(document, call.read.args[0], schema, checked)
    compare(document, mortise.Verdict, {"$ref": "#/components/schemas/Verdict"}, checked)
    exported = {value for value in vars(mortise).values() if dataclasses.is_dataclass(value)}
    assert checked == exported - {mortise.Fault, mortise.Page, mortise.Verification}


@pytest.mark.parametrize(
    ("choices", "schema", "member"),
    [
        (mortise.Mode, "Key", "mode"),
        (mortise.KeyStatus, "Key", "status"),
        (mortise.KeyType, "ServiceKeyCreate", "type"),
        (mortise.Role, "Member", "role"),
        (mortise.WorkspaceState, "Workspace", "state"),
        (mortise.ClientKeyOutcome, "ClientKeyRetirement", "client_keys"),
    ],
)
def test_choices_are_those_of_the_document(document, choices, schema, member):
    assert set(get_args(choices)) == set(document["components"]["schemas"][schema]["properties"][member]["enum"])


def test_the_reactions_to_a_leak_are_those_of_the_document(document):
    choices = document["components"]["schemas"]["Organization"]["properties"]["leak_action"]["anyOf"]
    values = {value for choice in choices for value in choice.get("enum", [])}
    assert values == set(get_args(mortise.LeakAction))


def test_the_orders_of_keys_are_those_of_the_document(operations):
    parameters = [parameter for operation in operations.values() for parameter in operation.get("parameters", [])]
    orders = [parameter["schema"]["enum"] for parameter in parameters if parameter["name"] == "sort"]
    assert orders == [list(get_args(mortise.KeySort))] * 4


def test_permissions_are_those_of_the_document(document):
    items = document["components"]["schemas"]["Key"]["properties"]["permissions"]["items"]
    assert set(get_args(mortise.Permission)) == set(items["enum"])


def resolve(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    return document["components"]["schemas"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


def compare(document: dict[str, Any], cls: type[Any], schema: dict[str, Any], checked: set[type[Any]]) -> None:
    """Compares a dataclass with the schema of an object, and the classes of its fields with theirs."""
    checked.add(cls)
    schema = resolve(document, schema)
    hints = get_type_hints(cls)
    assert {field.name for field in dataclasses.fields(cls)} == set(schema["properties"]), cls
    optional = OF_SOME_ANSWERS.get(cls, set())
    assert set(schema["required"]) == set(schema["properties"]) - optional, cls
    for name, member in schema["properties"].items():
        hint = hints[name]
        if name in optional:
            (hint,) = (choice for choice in get_args(hint) if choice is not type(None))
        compare_member(document, hint, member, checked, f"{cls.__name__}.{name}")


def compare_member(document, hint: Any, member: dict[str, Any], checked: set[type[Any]], place: str) -> None:
    member = resolve(document, member)
    choices = member.get("anyOf", [])
    kinds = [member["type"]] if isinstance(member.get("type"), str) else member.get("type", [])
    is_nullable = "null" in kinds or {"type": "null"} in choices
    is_optional = get_origin(hint) in (types.UnionType, typing.Union)
    assert is_optional == is_nullable, place
    if is_optional:
        hint = next(choice for choice in get_args(hint) if choice is not type(None))
    for choice in choices:
        if choice != {"type": "null"}:
            member = resolve(document, choice)
            kinds = [member.get("type", "object")]
    expected = {"string": (str, datetime, SecretToken), "integer": (int,), "boolean": (bool,)}
    kind = next(kind for kind in kinds if kind != "null")
    if kind == "array":
        assert get_origin(hint) is tuple, place
        compare_member(document, get_args(hint)[0], member["items"], checked, place)
    elif kind == "object" and "properties" in member:
        compare(document, hint, member, checked)
    elif kind == "object":
        assert get_origin(hint) is Mapping, place
    else:
        assert hint in expected[kind], place
        assert (hint is datetime) == (member.get("format") == "date-time"), place
        secrets = ("token", "access_token", "refresh_token", "secret")
        assert (hint is SecretToken) == (place.rpartition(".")[2] in secrets), place
