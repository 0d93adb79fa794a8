"""Every call against a real server."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta, timezone

import pytest

from mortise import (
    ConflictError,
    ForbiddenError,
    InvalidRequestError,
    NotFoundError,
    SecretToken,
    UnauthenticatedError,
    Verification,
)

from .fault_server import forward
from .mortise_server import PATIENT


def unique(text: str) -> str:
    return f"{text}-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def operator(connect, server):
    return connect(server.url, server.operator, **PATIENT)


@pytest.fixture
def admin(connect, server):
    return connect(server.url, server.admin, **PATIENT)


@pytest.fixture
def organization(admin):
    return admin.me().organization_id


def test_organizations(operator, connect, server):
    slug = unique("acme")
    created = operator.organizations.create("Acme", slug=slug, token_prefix="acme")
    assert created.organization.slug == slug
    assert created.default_workspace.state == "active"
    assert created.admin_key.type == "admin"
    acme = connect(server.url, created.token, **PATIENT)
    assert [organization.id for organization in acme.organizations.list()] == [created.organization.id]
    assert operator.organizations.get(slug) == created.organization
    assert [found.slug for found in operator.organizations.list(query=slug)] == [slug]
    renamed = operator.organizations.update(slug, name="Acme Inc", token_prefix=None)
    assert (renamed.name, renamed.token_prefix, renamed.slug) == ("Acme Inc", None, slug)
    assert operator.organizations.get(slug) == renamed
    types = {event.type for event in acme.organizations.events(slug)}
    assert types
    later = datetime.now(timezone.utc) + timedelta(days=1)
    assert acme.organizations.events(slug, since=later).all() == []
    with pytest.raises(ConflictError) as caught:
        operator.organizations.create("Acme", slug=slug)
    assert not caught.value.may_have_taken_effect
    with pytest.raises(ConflictError):
        operator.organizations.delete(slug)
    operator.workspaces.suspend(created.default_workspace.id)
    operator.organizations.delete(slug)
    with pytest.raises(NotFoundError):
        operator.organizations.get(slug)


def test_workspaces(admin, organization):
    slug = unique("billing")
    workspace = admin.workspaces.create("Billing", organization=organization, slug=slug)
    assert (workspace.state, workspace.slug, workspace.is_default) == ("active", slug, False)
    assert admin.workspaces.get(slug) == workspace
    assert admin.workspaces.list(organization_id=organization, state="active", query=slug).all() == [workspace]
    assert admin.workspaces.update(slug, name=None).name is None
    assert admin.workspaces.suspend(slug).state == "suspended"
    assert admin.workspaces.resume(slug).state == "active"
    assert admin.workspaces.archive(slug).state == "archived"
    assert admin.workspaces.restore(slug).state == "active"
    assert admin.workspaces.archive(slug).state == "archived"
    # An archived workspace gives up its slug.
    assert admin.workspaces.usage(workspace.id, step="minute", group_by="code,key").all() == []
    events = admin.workspaces.events(workspace.id).all()
    assert events[0].occurred_at >= events[-1].occurred_at
    assert events[0].workspace_id == workspace.id
    admin.workspaces.delete(workspace.id)
    with pytest.raises(NotFoundError):
        admin.workspaces.get(workspace.id)


KEYS = ["service", "client", "admin", "operator"]


@pytest.mark.parametrize("family", KEYS)
def test_the_life_of_a_key(operator, admin, organization, family):
    keys, more = {
        "service": (admin.service_keys("default"), {"type": "service"}),
        "client": (admin.client_keys("default"), {"subject": unique("user")}),
        "admin": (admin.admin_keys(organization), {"permissions": ["keys:verify"]}),
        "operator": (operator.operator_keys, {"permissions": ["platform:*"]}),
    }[family]
    name = unique("key")
    expiry = datetime(2100, 1, 2, 3, 4, 5, 678901, tzinfo=timezone(timedelta(hours=2)))
    issued = keys.create(
        name,
        **more,
        mode="live",
        description="For a test.",
        scopes=["read:a", "write:*"],
        allowed_namespaces=["default", "n"],
        allowed_ips=["192.0.2.0/24", "2001:db8::1"] if family in ("service", "client") else [],
        rate_limit_per_minute=600,
        rate_limit_per_hour=6000,
        expires_at=expiry,
        metadata={"plan": "pro", "seats": 5, "beta": True, "ratio": 0.5, "none": None, "list": [{"ä": "☃"}]},
    )
    key = issued.key
    assert issued.token.reveal().startswith(key.prefix)
    assert (key.type, key.status, key.mode, key.name) == (family, "active", "live", name)
    assert (key.scopes, key.allowed_namespaces) == (("read:a", "write:*"), ("default", "n"))
    assert (key.rate_limit_per_minute, key.rate_limit_per_hour, key.expires_at) == (600, 6000, expiry)
    assert key.metadata["list"] == [{"ä": "☃"}]
    assert key.metadata["seats"] == 5
    assert key.metadata["none"] is None
    assert len(key.secrets) == 1

    assert keys.get(key.id) == key
    filters = {"type": "service"} if family == "service" else {}
    filters |= {"subject": key.subject} if family == "client" else {}
    assert [found.id for found in keys.list(query=name, status="active", **filters)] == [key.id]

    changed = keys.update(
        key.id,
        description=None,
        scopes=[],
        allowed_namespaces=None,
        allowed_ips=[],
        rate_limit_per_minute=None,
        rate_limit_per_hour=60,
        expires_at=None,
        metadata={},
    )
    assert (changed.name, changed.description, changed.scopes, changed.allowed_namespaces) == (name, None, (), None)
    assert (changed.allowed_ips, changed.rate_limit_per_minute, changed.rate_limit_per_hour) == ((), None, 60)
    assert (changed.expires_at, dict(changed.metadata)) == (None, {})
    assert keys.update(key.id, name=name + "-2").name == name + "-2"

    assert keys.disable(key.id).status == "disabled"
    assert keys.enable(key.id).status == "active"
    rotated = keys.rotate(key.id, grace_period=timedelta(hours=1))
    assert rotated.key.id == key.id
    assert rotated.token != issued.token
    newest, oldest = rotated.key.secrets
    assert newest.ends_at is None
    assert timedelta(minutes=59) < oldest.ends_at - newest.created_at <= timedelta(hours=1)
    deprecated = keys.deprecate(key.id, reason="moved", grace_period=timedelta(days=1))
    assert (deprecated.status, deprecated.deprecation_reason) == ("deprecated", "moved")
    revoked = keys.revoke(key.id, reason="left the team")
    assert (revoked.status, revoked.revocation_reason) == ("revoked", "left the team")
    assert keys.revoke(key.id, reason="another").revocation_reason == "left the team"
    with pytest.raises(ConflictError):
        keys.rotate(key.id)
    assert {"created", "rotated", "revoked"} <= {event.type for event in keys.events(key.id, page_size=2)}
    (event,) = keys.events(key.id, type="revoked", actor=revoked.revoked_by)
    assert keys.usage(key.id, step="day", group_by="key").all() == []
    assert event.key_id == key.id
    keys.delete(key.id)
    with pytest.raises(NotFoundError):
        keys.get(key.id)
    assert "deleted" in {event.type for event in keys.events(key.id)}


def test_several_keys_are_stopped_together_or_not_at_all(admin):
    keys = admin.service_keys("default")
    ids = [keys.create(unique("several")).key.id for _ in range(3)]
    assert [(key.id, key.status) for key in keys.disable_all(ids)] == [(key_id, "disabled") for key_id in ids]
    with pytest.raises(NotFoundError) as refused:
        keys.revoke_all([ids[0], "01a215b7-106e-74a2-8d41-7ea83076b032"])
    assert [fault.place for fault in refused.value.faults] == ["/ids/1"]
    assert keys.get(ids[0]).status == "disabled"
    revoked = keys.revoke_all(ids[::-1], reason="left")
    assert [key.id for key in revoked] == ids[::-1]
    assert {(key.status, key.revocation_reason) for key in revoked} == {("revoked", "left")}
    with pytest.raises(ConflictError):
        keys.disable_all(ids)


def test_a_list_reads_all_pages(admin):
    name = unique("page")
    keys = admin.service_keys("default")
    made = [keys.create(f"{name}-{index}").key.id for index in range(5)]
    listing = keys.list(query=name, page_size=2)
    assert [key.id for key in listing] == made[::-1]
    assert [key.id for key in listing.all()] == made[::-1]
    first = listing.page()
    second = listing.page(first.next_cursor)
    assert [key.id for key in first.items + second.items] == made[:0:-1]
    assert listing.page(second.next_cursor).next_cursor is None


def test_a_list_of_keys_in_other_orders(admin):
    name = unique("order")
    keys = admin.service_keys("default")
    now = datetime.now(timezone.utc)
    later = keys.create(f"{name}-b", expires_at=now + timedelta(days=5)).key
    never = keys.create(f"{name}-A").key
    soon = keys.create(f"{name}-c", expires_at=now + timedelta(days=1)).key
    by_name = [never.id, later.id, soon.id]
    assert [key.id for key in keys.list(query=name, sort="name", page_size=1)] == by_name
    assert [key.id for key in keys.list(query=name, sort="-name", page_size=1)] == by_name[::-1]
    assert [key.id for key in keys.list(query=name, sort="expires_at")] == [soon.id, later.id, never.id]
    assert [key.id for key in keys.list(query=name, expires_before=now + timedelta(days=2))] == [soon.id]
    ending = keys.list(query=name, expires_before=now + timedelta(days=30), sort="expires_at")
    assert [key.id for key in ending] == [soon.id, later.id]
    assert keys.list(query=name, unused_since=now - timedelta(days=1)).all() == []
    unused = keys.list(query=name, unused_since=now + timedelta(days=1), sort="last_used_at")
    assert {key.id for key in unused} == set(by_name)
    page = keys.list(query=name, sort="name", page_size=1).page()
    with pytest.raises(InvalidRequestError) as refusal:
        keys.list(query=name, sort="-name", page_size=1).page(page.next_cursor)
    assert [fault.place for fault in refusal.value.faults] == ["cursor"]


def test_verification(admin):
    issued = admin.service_keys("default").create(
        unique("verified"), scopes=["read:a"], allowed_ips=["192.0.2.0/24"], rate_limit_per_minute=100
    )
    verdict = admin.verify(issued.token, scopes=["read:a"], address="192.0.2.7", mode="live", namespace="default")
    assert verdict
    assert (verdict.valid, verdict.code) == (True, "valid")
    assert (verdict.key.id, verdict.key.kind, verdict.key.scopes) == (issued.key.id, "service", ("read:a",))
    assert (verdict.rate_limit.limit, verdict.rate_limit.remaining) == (100, 99)
    refused = admin.verify(issued.token.reveal(), scopes=["write:a"], address="192.0.2.7")
    assert not refused
    assert (refused.code, refused.key.id) == ("insufficient_scope", issued.key.id)
    verdicts = admin.verify_batch(
        [
            Verification(issued.token, scopes=["read:a"], address="192.0.2.7"),
            Verification(issued.token),
            Verification(SecretToken("nothing")),
            Verification(issued.token.reveal(), address="192.0.2.7", mode="test"),
        ]
    )
    assert [verdict.code for verdict in verdicts] == ["valid", "wrong_address", "malformed", "wrong_mode"]
    admin.service_keys("default").revoke(issued.key.id)
    assert admin.verify(issued.token, address="192.0.2.7").code == "revoked"


def test_subjects_that_are_gone(admin):
    keys = admin.client_keys("default")
    subject = unique("user")
    keys.create("laptop", subject=subject)
    assert admin.workspaces.retire_subject("default", subject, client_keys="keep").client_key_count == 1
    retired = admin.workspaces.retire_subject("default", subject)
    assert (retired.client_keys, retired.client_key_count) == ("disable", 1)
    assert [key.status for key in keys.list(subject=subject)] == ["disabled"]


def test_scopes_of_members(admin):
    changed = admin.workspaces.update("default", member_scopes=["read:orders"])
    assert changed.member_scopes == ("read:orders",)
    assert admin.workspaces.update("default", member_scopes=None).member_scopes is None


def test_members(admin, organization):
    members = admin.members(organization)
    email = unique("user") + "@example.com"
    workspace = admin.workspaces.get("default")
    member = members.add(email, "auditor", workspace_id=workspace.id, name="Ann")
    assert (member.user.email, member.user.name, member.user.has_password) == (email, "Ann", False)
    assert (member.role, member.workspace_id) == ("auditor", workspace.id)
    assert members.get(member.id) == member
    assert members.list(workspace_id=workspace.id, role="auditor", query=email).all() == [member]
    changed = members.update(member.id, role="member", name=None, password=SecretToken("a long enough password"))
    assert (changed.role, changed.user.name, changed.user.has_password) == ("member", None, True)
    removed = members.remove(member.id, client_keys="revoke")
    assert (removed.client_keys, removed.client_key_count) == ("revoke", 0)
    with pytest.raises(NotFoundError):
        members.get(member.id)


def test_session_issuers(operator, organization):
    issuers = operator.session_issuers(organization)
    name = f"https://{unique('issuer')}.example.com"
    key_set = {
        "keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "1", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]
    }
    issuer = issuers.add(
        name,
        jwks=key_set,
        algorithms=["EdDSA"],
        authorized_parties=["https://app.example.com"],
        audiences=["mortise"],
        read_roles=["viewer"],
        manage_roles=[],
    )
    assert (issuer.issuer, issuer.has_inline_jwks, issuer.algorithms) == (name, True, ("EdDSA",))
    assert (issuer.authorized_parties, issuer.read_roles) == (("https://app.example.com",), ("viewer",))
    assert (issuer.manage_roles, issuer.audiences) == ((), ("mortise",))
    assert issuer in issuers.list(page_size=1).all()
    issuers.remove(issuer.id)
    assert issuer not in issuers.list().all()


def test_sessions_of_a_member(admin, organization, connect, server):
    address = f"{unique('ada')}@example.org"
    members = admin.members(organization)
    member = members.add(address, "admin", password="correct horse battery")
    sessions = [admin.sessions.create(address, "correct horse battery") for _ in range(3)]
    own = connect(server.url, sessions[0].access_token, **PATIENT)
    listed = own.sessions.list_own()
    assert [session.id for session in listed] == [session.session_id for session in reversed(sessions)]
    assert [session.is_current for session in listed] == [False, False, True]
    own.sessions.end_own(sessions[1].session_id)
    assert own.sessions.end_others().sessions == 1
    assert [session.id for session in members.sessions(member.id)] == [sessions[0].session_id]
    assert members.end_sessions(member.id).sessions == 1
    with pytest.raises(UnauthenticatedError):
        own.me()


def test_the_identity_of_a_key(operator, admin):
    assert (operator.me().type, operator.me().organization_id) == ("operator_key", None)
    me = admin.me()
    assert (me.type, me.user, me.memberships) == ("admin_key", None, ())
    assert "keys:verify" in me.permissions


def test_all_faults_of_a_body_are_named(admin):
    with pytest.raises(InvalidRequestError) as caught:
        admin.service_keys("default").create("x", scopes=["ok:ok", "not a scope"], allowed_ips=["999.0.0.1"])
    error = caught.value
    assert (error.status, error.code) == (400, "invalid_request")
    assert error.request_id
    assert {fault.place for fault in error.faults} == {"/scopes/1", "/allowed_ips/0"}
    for part in (error.request_id, "/scopes/1", "400", "invalid_request"):
        assert part in str(error)


def test_refusals_have_their_errors(connect, server, admin, organization):
    with pytest.raises(UnauthenticatedError):
        connect(server.url, None, **PATIENT).me()
    with pytest.raises(UnauthenticatedError):
        connect(server.url, "mka_live_nothing", **PATIENT).me()
    with pytest.raises(NotFoundError):
        admin.workspaces.get("../../openapi.json")
    with pytest.raises(ForbiddenError) as caught:
        admin.operator_keys.list().all()
    assert caught.value.code == "forbidden"
    limited = admin.admin_keys(organization).create(unique("limited"), permissions=["keys:read"])
    with pytest.raises(ForbiddenError):
        connect(server.url, limited.token, **PATIENT).service_keys("default").create("x")


def test_a_lost_creation_makes_one_key_whose_token_arrives(connect, server, faults):
    proxy = faults(forward(server.url, and_cut=True), forward(server.url))
    name = unique("lost")
    keys = connect(proxy.url, server.admin, **PATIENT).service_keys("default")
    issued = keys.create(name)
    assert len(proxy.requests) == 2
    direct = connect(server.url, server.admin, **PATIENT)
    assert [key.id for key in direct.service_keys("default").list(query=name)] == [issued.key.id]
    assert direct.verify(issued.token)


def test_a_lost_rotation_rotates_once(connect, server, faults):
    direct = connect(server.url, server.admin, **PATIENT)
    key = direct.service_keys("default").create(unique("rotated")).key
    proxy = faults(forward(server.url, and_cut=True), forward(server.url))
    rotated = connect(proxy.url, server.admin, **PATIENT).service_keys("default").rotate(key.id)
    assert direct.verify(rotated.token)
    assert [event.type for event in direct.service_keys("default").events(key.id)].count("rotated") == 1


def test_a_given_key_brings_a_token_back_and_refuses_another_body(connect, server):
    keys = connect(server.url, server.admin, **PATIENT).service_keys("default")
    name, idempotency_key = unique("twice"), unique("request")
    first = keys.create(name, metadata={"a": 1, "b": 2}, idempotency_key=idempotency_key)
    again = keys.create(name, metadata={"b": 2, "a": 1}, idempotency_key=idempotency_key)
    assert (again.key.id, again.token) == (first.key.id, first.token)
    with pytest.raises(InvalidRequestError) as caught:
        keys.create(name, metadata={"a": 2}, idempotency_key=idempotency_key)
    assert caught.value.status == 422


def test_a_time_without_a_zone_is_refused(admin):
    with pytest.raises(ValueError, match="time zone"):
        admin.service_keys("default").create("x", expires_at=datetime(2100, 1, 1))
