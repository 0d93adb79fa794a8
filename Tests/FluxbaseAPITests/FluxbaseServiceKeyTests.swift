import JSON
import Postgres
import ServerTestSupport
import TestSupport
import Testing

/// The documented behavior of `ServiceKeysManager`, tested on the wire.
@Suite(.hangLimit) struct FluxbaseServiceKeyTests {
    private static let path = "/admin/service-keys"
    private static let fields = [
        "created_at", "created_by", "enabled", "id", "key_prefix", "key_type", "name", "scopes",
    ]

    private struct Made {
        let id: String
        let token: String
        var path: String { "\(FluxbaseServiceKeyTests.path)/\(id)" }
    }

    private func make(
        _ client: FluxbaseClient,
        _ settings: JSONObject = [:],
        at location: SourceLocation = #_sourceLocation
    ) async throws -> Made {
        var body = settings
        if body["name"] == nil { body["name"] = "key" }
        let answer = try await client.post(Self.path, .object(body), at: location)
        try #require(answer.status == 201, "\(answer)", sourceLocation: location)
        return Made(id: try answer.string("id"), token: try answer.string("key"))
    }

    // docs/clients.md states this limit. An SDK without pages must get all keys, within a bound.
    @Test func `a list has at most the ten thousand newest keys`() async throws {
        try await withMortise { mortise in
            let user = try await mortise.makeUser("user@example.com", role: "admin")
            let client = try await mortise.fluxbase(signedInAs: user.email)
            try await mortise.inWorkspace(
                """
                INSERT INTO auth.service_keys (id, kind, name, mode, scopes, created_by, created_at)
                SELECT gen_random_uuid(), 'service', 'n' || i, 'live', '{*}', 'test', now() - i * interval '1 second'
                FROM generate_series(1, 10001) i
                """
            )
            let list = try await client.get("/admin/service-keys").json.array ?? []
            #expect(list.count == 10_000)
            #expect(list.first?["name"] == "n1" && list.last?["name"] == "n10000")
        }
    }

    @Test func `each of the eleven calls has its documented effect`() async throws {
        try await withMortise { mortise in
            let user = try await mortise.makeUser("admin@example.com", role: "admin")
            let client = try await mortise.fluxbase(signedInAs: user.email)
            #expect(try await client.get(Self.path).json == [])

            let made = try await client.post(
                Self.path,
                ["name": "Production API Key", "key_type": "service", "scopes": ["*"], "rate_limit_per_minute": 1000]
            )
            #expect(made.status == 201)
            #expect(made.members == (Self.fields + ["key", "rate_limit_per_minute"]).sorted())
            #expect(try made.string("created_by") == user.id)
            let token = try made.string("key")
            #expect(try made.string("key_prefix") == String(token.prefix(16)))
            let path = "\(Self.path)/\(try made.string("id"))"
            #expect(try await mortise.verdict(token, ["scopes": ["write:all"]]) == "valid")

            let list = try await client.get(Self.path)
            #expect(list.json.array?.count == 1)
            #expect(list.json.array?.first?["key"] == nil)
            #expect(try await client.get(path).string("name") == "Production API Key")

            for (method, name) in [("PUT", "by PUT"), ("PATCH", "by PATCH")] {
                let changed = try await client.send(
                    method,
                    path,
                    ["name": .string(name), "rate_limit_per_minute": 2000, "description": "d", "scopes": ["read"]]
                )
                #expect(changed.status == 200)
                #expect(try changed.string("name") == name)
                #expect(changed["rate_limit_per_minute"] == 2000)
                #expect(changed["success"] == true)
            }

            #expect(try await client.post("\(path)/disable", [:]).status == 200)
            #expect(try await mortise.verdict(token) == "disabled")
            #expect(try await client.get(path)["enabled"] == false)
            #expect(try await client.post("\(path)/enable", [:]).status == 200)
            #expect(try await mortise.verdict(token) == "valid")
            #expect(try await client.send("PUT", path, ["enabled": false])["enabled"] == false)
            #expect(try await mortise.verdict(token) == "disabled")
            #expect(try await client.send("PUT", path, ["enabled": true])["enabled"] == true)

            let deprecated = try await client.post("\(path)/deprecate", ["grace_period_hours": "48"])
            #expect(deprecated["grace_period_hours"] == 48)
            #expect(try deprecated.string("deprecated_at") < deprecated.string("grace_period_ends_at"))
            #expect(try await mortise.verdict(token) == "valid")

            let rotated = try await client.post("\(path)/rotate", [:])
            #expect(rotated.status == 201)
            #expect(try rotated.string("deprecated_at") == deprecated.string("deprecated_at"))
            // The SDK's rotate names no hours. The end that users were told of stands.
            #expect(try rotated.string("grace_period_ends_at") == deprecated.string("grace_period_ends_at"))
            let second = try rotated.string("key")
            #expect(try rotated.string("id") != made.string("id"))
            #expect(try await mortise.verdict(second) == "valid")

            let before = try await client.get("\(path)/revocations")
            #expect(try before.string("revoked_at") == "")
            #expect(try await client.post("\(path)/revoke", ["reason": "Key was compromised"]).status == 200)
            #expect(try await mortise.verdict(token) == "revoked")
            #expect(try await client.post("\(path)/revoke", [:]).status == 200)
            #expect(try await client.get(path)["enabled"] == false)

            #expect(try await client.send("DELETE", path).status == 204)
            #expect(try await client.get(path).status == 404)
            // The history remains after the deletion of the key.
            let history = try await client.get("\(path)/revocations")
            #expect(try history.string("name") == "by PATCH")
            #expect(try history.string("revoked_by") == user.id)
            #expect(try history.string("revocation_reason") == "Key was compromised")
            #expect(try !history.string("revoked_at").isEmpty)
            #expect(history["revocations"]?.array?.count == 1)
        }
    }

    @Test func `types, scopes, namespaces and both limits are stored and enforced`() async throws {
        try await withMortise { mortise in
            let client = mortise.fluxbase
            let anon = try await client.post(Self.path, ["name": "anon", "key_type": "anon"])
            #expect(anon["key_type"] == "anon")
            #expect(anon["scopes"] == ["read"])
            let plain = try await client.post(Self.path, ["name": "plain"])
            #expect(plain["key_type"] == "service")
            #expect(plain["scopes"] == ["*"])
            #expect(plain["allowed_namespaces"] == nil)
            #expect(!plain.text.contains("null"))
            let bound = try await make(
                client,
                ["name": "bound", "scopes": ["read:a"], "allowed_namespaces": ["eu"], "rate_limit_per_hour": 1]
            )
            #expect(try await mortise.verdict(bound.token, ["namespace": "us"]) == "wrong_namespace")
            let wrong: JSONValue = ["namespace": "eu", "scopes": ["read:b"]]
            #expect(try await mortise.verdict(bound.token, wrong) == "insufficient_scope")
            let right: JSONValue = ["namespace": "eu", "scopes": ["read:a"]]
            #expect(try await mortise.verdict(bound.token, right) == "valid")
            #expect(try await mortise.verdict(bound.token, right) == "rate_limited")
        }
    }

    @Test func `a grace period is read in every format that Fluxbase's clients use`() async throws {
        let bodies: [(String, String, Int64)] = [
            (#"{"grace_period_hours": 48}"#, "json", 48), (#"{"grace_period_hours": "48"}"#, "json", 48),
            (#"{"grace_period": "24h"}"#, "json", 24), (#"{"grace_period": "7d"}"#, "json", 168),
            ("{}", "json", 24), ("", "json", 24), (#"{"grace_period_hours": 0}"#, "json", 24),
            (#"{"grace_period_hours": -5}"#, "json", 24), (#"{"grace_period_hours": 10000}"#, "json", 720),
            (#"{"grace_period_hours": null, "grace_period": "2d"}"#, "json", 48),
            ("grace_period_hours=12&reason=old", "x-www-form-urlencoded", 12),
            ("grace_period=3d", "x-www-form-urlencoded", 72),
        ]
        try await withMortise { mortise in
            let client = mortise.fluxbase
            for (index, (body, type, hours)) in bodies.enumerated() {
                let key = try await make(client, ["name": .string("key \(index)")])
                let answer = try await client.send(
                    "POST",
                    "\(key.path)/deprecate",
                    raw: body,
                    contentType: "application/\(type)"
                )
                #expect(answer.status == 200, "\(body): \(answer)")
                #expect(answer["grace_period_hours"] == .integer(hours), "\(body)")
                let ends = try await mortise.rows(
                    try await mortise.workspaceDatabase(),
                    """
                    SELECT extract(epoch FROM grace_period_ends_at - deprecated_at)::bigint FROM auth.service_keys
                    WHERE id = '\(key.id)'
                    """
                )
                #expect(try ends.first?.decode(0, as: Int64.self) == hours * 3600, "\(body)")
            }
            let key = try await make(client, ["name": "bad"])
            for body in [
                #"{"grace_period_hours": "soon"}"#, #"{"grace_period_hours": []}"#, #"{"grace_period": "1w"}"#,
                #"{"grace_period": "h"}"#, #"{"grace_period_hours": "0x10"}"#, #"{"grace_period_hours": "inf"}"#,
                #"{"grace_period_hours": 1e999}"#,
            ] {
                let answer = try await client.send("POST", "\(key.path)/deprecate", raw: body)
                #expect(answer.status == 400, "\(body): \(answer)")
            }
            let twice = try await client.send(
                "POST",
                "\(key.path)/deprecate",
                raw: "reason=a&reason=b",
                contentType: "application/x-www-form-urlencoded"
            )
            #expect(twice.status == 400)
            #expect(try await client.get(key.path)["deprecated_at"] == nil)
        }
    }

    // The attack: the holder of an old key uses it after the announced grace period.
    @Test func `a grace period ends at its announced time, and so does the rotated key`() async throws {
        try await withMortise { mortise in
            let client = mortise.fluxbase
            let old = try await make(client, ["name": "rotating", "rate_limit_per_minute": 77, "scopes": ["read:x"]])
            func revoke(_ successor: Answer) async throws {
                let path = "/admin/service-keys/\(try successor.string("id"))/revoke"
                #expect(try await client.post(path, [:]).status == 200)
            }
            let first = try await client.post("\(old.path)/rotate", ["grace_period": "7d"])
            #expect(try await mortise.verdict(first.string("key")) == "valid")
            // One key has one successor. Only without it the old key can be rotated again.
            #expect(try await client.post("\(old.path)/rotate", [:]).status == 409)
            try await revoke(first)
            let second = try await client.post("\(old.path)/rotate", [:])
            #expect(try await mortise.verdict(second.string("key")) == "valid")
            for answer in [first, second] {
                #expect(answer.status == 201, "\(answer)")
                #expect(answer["scopes"] == ["read:x"])
                #expect(answer["rate_limit_per_minute"] == 77)
                #expect(answer["name"] == "rotating")
                #expect(answer["old_key_id"] == .string(old.id))
                #expect(answer["new_key", "key"] == answer["key"])
                #expect(answer["new_key", "deprecated_at"] == nil)
            }
            #expect(try first.string("key") != second.string("key"))
            try await revoke(second)
            // An announced end stands if a rotation names no grace period, and a longer grace period does not put it off.
            #expect(try second.string("grace_period_ends_at") == first.string("grace_period_ends_at"))
            let third = try await client.post("\(old.path)/rotate", ["grace_period_hours": 720])
            #expect(try third.string("grace_period_ends_at") == first.string("grace_period_ends_at"))
            #expect(try await client.get(old.path).string("replaced_by") == third.string("id"))

            #expect(try await mortise.verdict(old.token) == "valid")
            try await mortise.inWorkspace(
                "UPDATE auth.service_keys SET grace_period_ends_at = now() WHERE deprecated_at IS NOT NULL"
            )
            #expect(try await mortise.verdict(old.token) == "expired")
            #expect(try await mortise.verdict(third.string("key")) == "valid")
            #expect(try await client.post("\(old.path)/rotate", [:]).status == 409)
        }
    }

    @Test func `a rotation can give the new key another name and other scopes`() async throws {
        try await withMortise { mortise in
            let client = mortise.fluxbase
            let old = try await make(client, ["name": "first"])
            _ = try await make(client, ["name": "taken"])
            let taken = try await client.post("\(old.path)/rotate", ["new_key_name": "taken"])
            #expect(taken.status == 409)
            #expect(taken.code == "ALREADY_EXISTS")
            #expect(try await client.get(old.path)["deprecated_at"] == nil)
            let rotated = try await client.post(
                "\(old.path)/rotate",
                ["new_key_name": "new", "new_scopes": ["read:y"]]
            )
            #expect(rotated["name"] == "new")
            #expect(rotated["scopes"] == ["read:y"])
            #expect(try await client.post("\(old.path)/revoke", [:]).status == 200)
            #expect(try await client.post("\(old.path)/rotate", [:]).status == 409)
        }
    }

    @Test func `a reason for a revocation is read from JSON and from a form, and is empty by default`() async throws {
        try await withMortise { mortise in
            let client = mortise.fluxbase
            for (index, (body, type, reason)) in [
                (#"{"reason": "leaked"}"#, "json", "leaked"),
                ("reason=leaked+again%21", "x-www-form-urlencoded", "leaked again!"),
                ("{}", "json", ""), ("", "json", ""),
            ]
            .enumerated() {
                let key = try await make(client, ["name": .string("key \(index)")])
                let answer = try await client.send(
                    "POST",
                    "\(key.path)/revoke",
                    raw: body,
                    contentType: "application/\(type)"
                )
                #expect(answer.status == 200, "\(body): \(answer)")
                #expect(try answer.string("key_id") == key.id)
                #expect(try await client.get("\(key.path)/revocations").string("revocation_reason") == reason)
            }
        }
    }

    @Test func `faults get Fluxbase's error texts`() async throws {
        try await withMortise { mortise in
            let client = mortise.fluxbase
            let key = try await make(client, ["name": "taken"])
            let duplicate = try await client.post(Self.path, ["name": "taken"])
            #expect(duplicate.status == 409)
            #expect(duplicate.code == "ALREADY_EXISTS")
            let kind = try await client.post(Self.path, ["name": "n", "key_type": "admin"])
            #expect(kind.status == 400)
            #expect(kind.error == "key_type must be 'anon' or 'service'")
            #expect(kind.code == "INVALID_INPUT")
            let name = try await client.post(Self.path, ["key_type": "anon"])
            #expect(name.error == "Name is required")
            #expect(name.code == "MISSING_REQUIRED_FIELD")
            for body: JSONValue in [[:], ["unknown": 1], ["name": nil]] {
                let empty = try await client.send("PUT", key.path, body)
                #expect(empty.status == 400)
                #expect(empty.error == "No fields to update")
                #expect(empty.code == "INVALID_INPUT")
            }
            for (method, suffix) in [
                ("GET", ""), ("PUT", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/disable"), ("POST", "/enable"),
                ("POST", "/revoke"), ("POST", "/deprecate"), ("POST", "/rotate"), ("GET", "/revocations"),
            ] {
                let body: JSONValue? = method == "GET" ? nil : ["name": "x"]
                let malformed = try await client.send(method, "\(Self.path)/1\(suffix)", body)
                #expect(malformed.error == "Invalid service key ID", "\(method) \(suffix) \(malformed)")
                #expect(malformed.code == "INVALID_ID")
                let unknown = try await client.send(
                    method,
                    "\(Self.path)/0198c0de-0000-7000-8000-00000000abcd\(suffix)",
                    body
                )
                #expect(unknown.status == 404, "\(method) \(suffix) \(unknown)")
                #expect(unknown.error == "Service key not found")
                #expect(unknown.code == "NOT_FOUND")
            }
        }
    }
}
