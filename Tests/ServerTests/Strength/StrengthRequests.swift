import Endpoints
import HTTPTypes
import JSON
import ServerTestSupport
import Service

/// The requests by which a caller can try to make something stronger: every operation of every dialect that changes
/// something, with each thing that it can ask for.
struct StrengthRequests {
    let world: StrengthWorld
    let credential: RestrictedCredential
    /// The key of the credential itself.
    let keyID: String?

    struct Request {
        let name: String
        let method: String
        let path: String
        let body: JSONValue?
    }

    /// The operations on sessions themselves, and on passwords: they have no part in what a credential hands on.
    private static func isOfSessions(_ path: String) -> Bool {
        ["/v1/sessions", "/v1/me", "/auth/", "/admin/login", "/admin/refresh", "/admin/logout", "/admin/setup"]
            .contains { path.contains($0) }
    }

    func all(_ endpoints: [Endpoint<Principal>]) -> [Request] {
        endpoints.flatMap { endpoint -> [Request] in
            guard case .only(let method) = endpoint.method, method != .get, endpoint.access != .open,
                !Self.isOfSessions(endpoint.path.text), !endpoint.path.text.contains("/verify"),
                // The other paths of Clerk's clients have the same handlers.
                !endpoint.operationID.hasSuffix("Unversioned"), !endpoint.operationID.hasSuffix("OfWorkspace")
            else { return [] }
            return paths(endpoint)
                .flatMap { path in
                    bodies(endpoint, method.rawValue)
                        .map {
                            Request(name: endpoint.operationID, method: method.rawValue, path: path, body: $0)
                        }
                }
        }
    }

    // MARK: Paths

    private func paths(_ endpoint: Endpoint<Principal>) -> [String] {
        let text = endpoint.path.text
            .replacing("{organization}", with: "default")
            .replacing("{user}", with: world.user)
            .replacing("{delivery}", with: world.user)
        if text.hasPrefix("/compute/"), text.contains("{workspace}") {
            return [text.replacing("{workspace}", with: "ws_" + hex(world.workspace))]
        }
        let path = text.replacing("{workspace}", with: "default")
        guard let name = ["{id}", "{api_key_id}"].first(where: path.contains) else { return [path] }
        return ids(path).map { path.replacing(name, with: $0) }
    }

    private func ids(_ path: String) -> [String] {
        if path.contains("/members") { return world.members }
        if path.contains("/session-issuers") { return [world.issuer] }
        if path.contains("/webhooks") { return world.webhooks }
        if path.contains("/tenants") { return [world.workspace] }
        let own = keyID.map { [$0] } ?? []
        func targets(_ family: String) -> [String] { world.targets[family] ?? [] }
        if path.contains("/operator-keys") { return targets(StrengthWorld.operatorKeys) + own }
        if path.contains("/admin-keys") { return targets(StrengthWorld.adminKeys) + own }
        if path.contains("/client-keys") || path.hasPrefix("/api/v1/api-keys") {
            return targets(StrengthWorld.clientKeys) + own
        }
        if path.hasPrefix("/clerk") { return (targets(StrengthWorld.clientKeys) + own).map { "ak_" + hex($0) } }
        if path.hasPrefix("/compute") {
            return targets(StrengthWorld.serviceKeys).map { "api_key_" + world.ref + hex($0) }
                + (targets(StrengthWorld.adminKeys) + own).map { "api_key_00000000" + hex($0) }
        }
        return targets(StrengthWorld.serviceKeys) + own
    }

    private func hex(_ id: String) -> String { id.filter { $0 != "-" } }

    // MARK: Bodies

    private static let permissions: JSONValue = [
        "keys:read", "keys:write", "keys:verify", "workspaces:write", "members:write", "events:read",
        "webhooks:read", "webhooks:write",
    ]

    private func bodies(_ endpoint: Endpoint<Principal>, _ method: String) -> [JSONValue?] {
        let path = endpoint.path.text
        if path.hasSuffix("/members") { return ["owner", "admin", "auditor", "member"].map { role($0) } }
        if path.hasSuffix("/admins") { return [["user_id": .string(world.user)]] }
        if path.contains("/members/{id}") {
            if method == "DELETE" { return [nil] }
            return ["owner", "admin", "auditor", "member"].map { ["role": .string($0)] } + [
                ["password": "known to the caller"], ["name": "N"],
            ]
        }
        if path.hasSuffix("/session-issuers") {
            return [["issuer": "https://other.example", "jwks_url": "https://other.example/jwks.json"]]
        }
        if path.hasSuffix("/retire") { return [["subject": .string(world.user)]] }
        if path.contains("-keys/batch/") {
            let ids = ids(path).map { JSONValue.string($0) }
            let alone: [JSONValue] = ids.map { ["ids": [$0]] }
            return alone + [["ids": .array(ids)]]
        }
        if path.hasSuffix("/webhooks") { return [["url": "https://127.0.0.1/other", "event_types": ["key.unused"]]] }
        if path.hasSuffix("/webhooks/{id}"), method == "PATCH" {
            return [["url": "https://127.0.0.1/other"], ["event_types": ["key.*"]]]
        }
        // These create a database each, and nothing that could be stronger than its maker, but an organization.
        if method == "POST", path.hasSuffix("/workspaces") || path.hasSuffix("/tenants") {
            return credential.isRetired ? [["name": "New", "slug": "new"], ["name": "New"]] : []
        }
        if method == "POST", path == "/v1/organizations" { return [["name": "New"]] }
        if method == "DELETE" { return [nil] }
        let isCreation = method == "POST" && !path.contains("{id}") && !path.contains("{api_key_id}")
        if isCreation, path.contains("keys") { return creations(path) }
        if method == "PATCH" || method == "PUT" { return changes }
        if path.hasSuffix("/rotate") { return [nil, ["grace_period_seconds": 0], ["new_scopes": ["*"]]] }
        return [endpoint.body == nil ? nil : [:]]
    }

    private func role(_ role: String) -> JSONValue {
        ["email": .string("\(role)@new.example.org"), "role": .string(role), "password": "known to the caller"]
    }

    private var changes: [JSONValue] {
        [
            ["name": "other"], ["description": "d"], ["expires_at": nil], ["expires_at": "2098-01-01T00:00:00Z"],
            ["seconds_until_expiration": nil], ["allowed_ips": nil], ["allowed_ips": ["0.0.0.0/0"]],
            ["rate_limit_per_minute": nil], ["rate_limit_per_minute": 1_000_000], ["rate_limit_per_hour": nil],
            ["rate_limit_per_hour": 10_000_000], ["allowed_namespaces": nil], ["allowed_namespaces": ["*"]],
            ["scopes": ["*"]], ["scopes": ["read:other"]], ["permissions": Self.permissions], ["enabled": true],
            ["subject": .string(SessionSigner.user)], ["claims": ["admin": true]], ["member_scopes": ["*"]],
        ]
    }

    private func creations(_ path: String) -> [JSONValue] {
        var base: JSONObject = ["name": "created"]
        var wishes: [JSONObject] = [
            [:], ["expires_at": "2098-01-01T00:00:00Z"], ["allowed_ips": ["0.0.0.0/0"]], ["mode": "live"],
            ["rate_limit_per_minute": 1_000_000], ["rate_limit_per_hour": 10_000_000], ["allowed_namespaces": ["*"]],
            ["scopes": ["*"]], ["permissions": Self.permissions], ["expires_in_days": 365],
            ["seconds_until_expiration": 2_500_000_000],
        ]
        if path.hasPrefix("/v1"), path.contains("client-keys") {
            base["subject"] = .string(credential == .member ? world.user : SessionSigner.user)
        }
        if path.hasPrefix("/clerk"), credential != .session { base["subject"] = .string(SessionSigner.user) }
        if path.hasPrefix("/api/v1/client-keys") || path.hasPrefix("/api/v1/api-keys") {
            base["scopes"] = ["clientkeys:read"]
        }
        if path.contains("admin-keys") { wishes.append(["permissions": ["keys:read"]]) }
        return wishes.map { wish in
            var body = base
            for (name, value) in wish.members { body[name] = value }
            return .object(body)
        }
    }
}
