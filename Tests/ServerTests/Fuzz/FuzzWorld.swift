import JSON
import Server
import ServerTestSupport
import Testing

/// The resources that exist before the requests, and the credentials of the callers.
struct FuzzWorld: Sendable {
    let credentials: [FuzzCredential]
    /// Ids and names of existing objects in the form of each dialect, without those of the credentials.
    let names: [String]
    /// The meaningful values for members, parameters and path parameters, by name.
    let values: [String: [JSONValue]]

    /// Returns the values for a path parameter.
    ///
    /// `{id}` is an id of the resource that the path names before it, in the form of the surface.
    static func thing(_ parameter: String, in path: String) -> String {
        let spelling = path.hasPrefix("/compute/") ? "boltz " : ""
        guard parameter == "id" else { return spelling + parameter }
        let parts = path.split(separator: "/").map(String.init)
        return spelling + (parts.firstIndex(of: "{id}").flatMap { $0 > 0 ? parts[$0 - 1] : nil } ?? parameter)
    }

    /// Creates all resources on a server.
    static func make(_ mortise: ServerHarness) async throws -> FuzzWorld {
        let acme = try await mortise.makeOrganization("Acme")
        let owner = try await mortise.session("owner@example.org", "owner")
        let member = try await mortise.addMember("member@example.org", "member")
        var things = Things()
        things.add(acme)
        try await things.addWorkspaces(mortise)
        try await things.addKeys(mortise, ofMember: member.userID)
        try await things.addPeople(mortise)
        try await things.addIssuers(mortise)
        let people = [
            FuzzCredential(kind: .owner, token: owner),
            FuzzCredential(kind: .member, token: try await mortise.signIn(member.email).access),
        ]
        return FuzzWorld(
            credentials: people + (try await credentials(mortise)),
            names: things.names + [
                "default", "acme", acme.id, acme.workspaceID, acme.adminKeyID, "user_1", "org_1", "target", "read:*",
                "192.0.2.1",
            ],
            values: things.values
        )
    }

    /// Returns one credential of each other kind that is accepted, and several that are not.
    private static func credentials(_ mortise: ServerHarness) async throws -> [FuzzCredential] {
        let signer = try SessionSigner()
        try await mortise.addSessionIssuer(signer)
        let end: JSONObject = ["exp": 4_000_000_000]
        let alone = try signer.session(ServerHarness.user, end)
        let active = try signer.session(organization: ServerHarness.organization, role: "admin", end)
        let reader = try signer.session(
            ServerHarness.otherUser,
            organization: ServerHarness.organization,
            role: "x",
            end
        )
        return [
            FuzzCredential(kind: .adminKey, token: mortise.adminToken),
            FuzzCredential(kind: .operatorKey, token: mortise.operatorToken),
            FuzzCredential(kind: .session, token: alone),
            FuzzCredential(kind: .organizationSession, token: active),
            FuzzCredential(kind: .workspaceKey, token: try await mortise.makeKey("fuzz").token),
            FuzzCredential(kind: .other, token: try await mortise.makeAdmin([]).token),
            FuzzCredential(kind: .other, token: try await mortise.session("auditor@example.org", "auditor")),
            FuzzCredential(kind: .other, token: reader),
            FuzzCredential(kind: .other, token: alone + "A"), FuzzCredential(kind: .other, token: "junk"),
            FuzzCredential(kind: .other, token: ""),
        ]
    }

    /// Returns sessions for the operations that end one.
    ///
    /// They belong to a separate user, so their end does not end another session.
    static func passingSessions(_ count: Int, _ mortise: ServerHarness) async throws -> [String] {
        _ = try await mortise.addMember("passing@example.org", "owner", as: mortise.operatorToken)
        var tokens: [String] = []
        for _ in 0..<count { tokens.append(try await mortise.signIn("passing@example.org").access) }
        return tokens
    }
}

/// The values that are collected during the creation of the world.
private struct Things {
    var names: [String] = []
    var values: [String: [JSONValue]] = [
        "organization": ["default", "acme"], "password": [.string(ServerHarness.memberPassword)],
        "current_password": [.string(ServerHarness.memberPassword)], "new_password": ["another good one"],
        "grace_period_hours": [1, 24, "48", -1], "grace_period": ["24h", "7d", "-1h"],
        "key_type": ["service", "anon"], "description": ["a text", nil], "claims": [["plan": "pro"], nil],
        "scopes": [["read:*"], []], "seconds_until_expiration": [60, 86_400, nil], "type": ["api_key"],
        "created_by": [.string(ServerHarness.user)], "allowed_ips": [["192.0.2.0/24", "2001:db8::/32"]],
    ]
    private static let count = 24

    mutating func note(_ id: String, as things: String...) {
        names.append(id)
        for thing in things { values[thing, default: []].append(.string(id)) }
    }

    mutating func add(_ acme: ServerHarness.TestOrganization) {
        values["organization", default: []].append(.string(acme.id))
        values["workspace", default: []].append(.string(acme.workspaceID))
    }

    mutating func addWorkspaces(_ mortise: ServerHarness) async throws {
        // Most resources are in the first workspace.
        for _ in 0..<6 { note("default", as: "workspace") }
        for name in ["default", "shop", "desk"] {
            if name != "default" { _ = try await mortise.makeWorkspace(name) }
            let found = try await mortise.api.get("/v1/workspaces/\(name)", as: mortise.adminToken)
            let id = try found.string("id")
            note(id, as: "workspace", "tenants", "workspace_id")
            note(ServerHarness.boltzWorkspace(id), as: "boltz workspace", "workspace_id")
            if name == "default" { note(try found.string("organization_id"), as: "organization") }
        }
    }

    mutating func addKeys(_ mortise: ServerHarness, ofMember member: String) async throws {
        let ref = try await mortise.api.get("/v1/workspaces/default", as: mortise.adminToken).string("ref")
        for number in 0..<Self.count {
            let service = try await mortise.makeKey("target \(number)")
            note(service.id, as: "service-keys")
            note("api_key_\(ref)\(service.id.filter { $0 != "-" })", as: "boltz api-keys", "after_id", "before_id")
            let client = try await mortise.makeClientKey(
                "target \(number)",
                subject: number % 2 == 0 ? member : "user_1"
            )
            note(client.id, as: "client-keys", "api-keys")
            let subject = [ServerHarness.user, ServerHarness.otherUser, ServerHarness.organization][number % 3]
            let labelled = try await mortise.makeAPIKey("target \(number)", subject: subject)
            note(labelled.id, as: "api_key_id")
            let admin = try await mortise.api.post(
                "/v1/organizations/default/admin-keys",
                ["name": .string("spare \(number)"), "permissions": ["keys:read"]],
                as: mortise.adminToken
            )
            let adminID = try admin.string("key", "id")
            note(adminID, as: "admin-keys")
            note("api_key_00000000\(adminID.filter { $0 != "-" })", as: "boltz api-keys")
            let body: JSONValue = ["name": .string("spare \(number)")]
            let spare = try await mortise.api.post("/v1/operator-keys", body, as: mortise.operatorToken)
            note(try spare.string("key", "id"), as: "operator-keys")
            values["token", default: []].append(.string(service.token))
            values["secret", default: []].append(.string(labelled.secret))
            values["subject", default: []].append(.string(subject))
        }
        values["subject", default: []] += ["", "user_1"] + Array(repeating: .string(member), count: Self.count / 2)
        names.append(values["token"]?.first?.string ?? "")
    }

    mutating func addPeople(_ mortise: ServerHarness) async throws {
        for number in 0..<Self.count / 2 {
            let person = try await mortise.addMember("person\(number)@example.org", ["member", "admin"][number % 2])
            note(person.id, as: "members")
            note(person.userID, as: "user", "user_id", "subject")
            values["email", default: []].append(.string(person.email))
            let session = try await mortise.signIn(person.email)
            values["refresh_token", default: []].append(.string(session.refresh))
        }
        values["setup_token"] = [.string(mortise.operatorToken), .string(mortise.adminToken)]
    }

    mutating func addIssuers(_ mortise: ServerHarness) async throws {
        let keys = try SessionSigner().keySet()
        for number in 0..<4 {
            let body: JSONValue = ["issuer": .string("https://spare\(number).example"), "jwks": keys]
            let path = "/v1/organizations/default/session-issuers"
            let answer = try await mortise.api.post(path, body, as: mortise.operatorToken)
            note(try answer.string("id"), as: "session-issuers")
        }
        values["jwks"] = [keys]
    }
}
