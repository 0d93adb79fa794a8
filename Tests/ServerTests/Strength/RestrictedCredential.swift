import JSON
import ServerTestSupport
import Testing

/// The kinds of credential that must not make anything stronger than themselves.
enum RestrictedCredential: String, CaseIterable, CustomTestStringConvertible {
    case testAdmin, endingAdmin, boundAdmin, limitedAdmin, weakAdmin, replacedAdmin, deprecatedAdmin
    case testOperator, endingOperator, boundOperator, limitedOperator, replacedOperator, deprecatedOperator
    case serviceKey, replacedServiceKey, deprecatedServiceKey
    case clientKey, replacedClientKey
    case member, session

    var testDescription: String { rawValue }

    /// True for a replaced secret and a deprecated key, which disable and revoke and do nothing else.
    var isRetired: Bool { rawValue.hasPrefix("replaced") || rawValue.hasPrefix("deprecated") }

    /// True for a key in test mode, which stops live keys and deletes none.
    var isTest: Bool { settings["mode"] == "test" }

    /// True for a credential of a subject, which does not loosen what administration set.
    var isSubject: Bool { [.clientKey, .replacedClientKey, .member, .session].contains(self) }

    /// The kinds of key that the credential bounds in everything.
    var ownKinds: Set<String> {
        if rawValue.hasSuffix("Admin") { return ["admin"] }
        if rawValue.hasSuffix("Operator") { return ["operator"] }
        return [.member, .session].contains(self) ? [] : ["service", "anon", "client"]
    }

    private var settings: JSONObject {
        switch self {
        case .testAdmin, .testOperator: ["mode": "test"]
        case .endingAdmin, .endingOperator: ["expires_at": "2090-01-01T00:00:00Z"]
        case .boundAdmin, .boundOperator: ["allowed_ips": ["127.0.0.1"]]
        case .limitedAdmin, .limitedOperator: ["rate_limit_per_minute": 900_000, "rate_limit_per_hour": 9_000_000]
        case .serviceKey, .clientKey:
            [
                "mode": "test", "expires_at": "2090-01-01T00:00:00Z", "allowed_ips": ["127.0.0.1"],
                "rate_limit_per_minute": 900_000, "rate_limit_per_hour": 9_000_000, "allowed_namespaces": ["eu"],
                "scopes": ["clientkeys:read", "clientkeys:write"],
            ]
        case .replacedServiceKey, .deprecatedServiceKey, .replacedClientKey: ["scopes": ["*"]]
        default: [:]
        }
    }

    private static let everything: JSONValue = [
        "keys:read", "keys:write", "keys:verify", "workspaces:write", "members:write", "events:read",
        "webhooks:read", "webhooks:write",
    ]

    /// Creates the credential.
    ///
    /// - Returns: Its token, and the id of its key if it is one.
    func make(_ mortise: ServerHarness, _ world: StrengthWorld) async throws -> (token: String, keyID: String?) {
        switch self {
        case .member: return (try await mortise.signIn(StrengthWorld.member).access, nil)
        case .session: return (try world.signer.session(), nil)
        default: break
        }
        var body = settings
        body["name"] = .string("credential")
        let (path, maker): (String, String)
        if rawValue.hasSuffix("Admin") {
            body["permissions"] = self == .weakAdmin ? ["keys:read", "keys:write", "members:write"] : Self.everything
            (path, maker) = (StrengthWorld.adminKeys, mortise.adminToken)
        } else if rawValue.hasSuffix("Operator") {
            (path, maker) = (StrengthWorld.operatorKeys, mortise.operatorToken)
        } else if isSubject {
            body["subject"] = .string(SessionSigner.user)
            (path, maker) = (StrengthWorld.clientKeys, mortise.adminToken)
        } else {
            (path, maker) = (StrengthWorld.serviceKeys, mortise.adminToken)
        }
        let made = try await mortise.api.post(path, .object(body), as: maker)
        try #require(made.status == 201, "\(made)")
        let id = try made.string("key", "id")
        if rawValue.hasPrefix("replaced") {
            #expect(try await mortise.api.post("\(path)/\(id)/rotate", as: maker).status == 200)
        }
        if rawValue.hasPrefix("deprecated") {
            #expect(try await mortise.api.post("\(path)/\(id)/deprecate", as: maker).status == 200)
        }
        return (try made.string("token"), id)
    }
}

/// The things that a restricted credential reaches for.
struct StrengthWorld: Sendable {
    static let adminKeys = "/v1/organizations/default/admin-keys"
    static let operatorKeys = "/v1/operator-keys"
    static let serviceKeys = "/v1/workspaces/default/service-keys"
    static let clientKeys = "/v1/workspaces/default/client-keys"
    static let webhooks = "/v1/organizations/default/webhooks"
    static let member = "subject@example.org"

    let signer: SessionSigner
    let organization: String
    let workspace: String
    let ref: String
    let issuer: String
    /// The memberships of an admin and of a plain member.
    let members: [String]
    let user: String
    /// Keys of each family: one that works without restrictions, and one that is disabled.
    let targets: [String: [String]]
    /// The client keys on which administration set restrictions.
    let held: Set<String>
    /// A webhook that works, and one that is disabled.
    let webhooks: [String]

    init(_ mortise: ServerHarness) async throws {
        let (api, admin) = (mortise.api, mortise.adminToken)
        signer = try SessionSigner()
        try await mortise.addSessionIssuer(signer)
        organization = try await api.get("/v1/organizations/default", as: admin).string("id")
        let found = try await api.get("/v1/workspaces/default", as: admin)
        workspace = try found.string("id")
        ref = try found.string("ref")
        issuer = try #require(
            try await api.get("/v1/organizations/default/session-issuers", as: mortise.operatorToken)["data"]?.array?
                .first?["id"]?
                .string
        )
        let boss = try await mortise.addMember("boss@example.org", "admin")
        let person = try await mortise.addMember(Self.member, "member")
        members = [boss.id, person.id]
        user = person.userID
        var targets: [String: [String]] = [:]
        for (path, maker) in [
            (Self.adminKeys, admin), (Self.operatorKeys, mortise.operatorToken), (Self.serviceKeys, admin),
        ] {
            var body: JSONObject = ["name": "strong"]
            if path == Self.adminKeys { body["permissions"] = ["keys:read", "keys:write"] }
            if path == Self.serviceKeys { body["scopes"] = ["*"] }
            for name in ["strong", "disabled"] {
                body["name"] = .string(name)
                let id = try await api.post(path, .object(body), as: maker).string("key", "id")
                targets[path, default: []].append(id)
                if name == "disabled" { _ = try await api.post("\(path)/\(id)/disable", as: maker) }
            }
        }
        // Each of the two subjects has a key that administration restricted and disabled.
        for subject in [user, SessionSigner.user] {
            let id = try await mortise.makeClientKey("held", subject: subject, ["scopes": ["read:x"]]).id
            let path = "\(Self.clientKeys)/\(id)"
            let patch: JSONValue = [
                "allowed_ips": ["127.0.0.1"], "rate_limit_per_minute": 5, "rate_limit_per_hour": 50,
                "expires_at": "2089-01-01T00:00:00Z", "allowed_namespaces": ["eu"],
            ]
            #expect(try await api.send("PATCH", path, patch, as: admin).status == 200)
            #expect(try await api.post("\(path)/disable", as: admin).status == 200)
            targets[Self.clientKeys, default: []].append(id)
        }
        held = Set(targets[Self.clientKeys] ?? [])
        self.targets = targets
        // Of a type that nothing here sends. The address would be refused, too.
        let hook: JSONValue = ["url": "https://127.0.0.1/hook", "event_types": ["key.unused"]]
        var webhooks: [String] = []
        for _ in 0..<2 { webhooks.append(try await api.post(Self.webhooks, hook, as: admin).string("webhook", "id")) }
        #expect(try await api.post("\(Self.webhooks)/\(webhooks[1])/disable", as: admin).status == 200)
        self.webhooks = webhooks
    }
}
