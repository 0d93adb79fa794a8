package import JSON
package import Testing

/// Helpers that many tests share.
extension ServerHarness {
    /// The slug of the default workspace, which every installation has.
    package static let workspace = "default"

    /// Returns the path of the service keys of a workspace.
    package static func keys(_ workspace: String = Self.workspace) -> String {
        "/v1/workspaces/\(workspace)/service-keys"
    }

    /// A key and its token.
    package struct IssuedKey: Sendable {
        package let id: String
        package let token: String
        package let path: String
    }

    /// Creates a service key.
    package func makeKey(
        _ name: String = "key",
        _ settings: JSONValue = [:],
        in workspace: String = Self.workspace,
        as token: String? = nil,
        at location: SourceLocation = #_sourceLocation
    ) async throws -> IssuedKey {
        var body = settings.object ?? JSONObject()
        body["name"] = .string(name)
        let answer = try await api.post(Self.keys(workspace), .object(body), as: token ?? adminToken, at: location)
        try #require(answer.status == 201, "\(answer)", sourceLocation: location)
        let id = try answer.string("key", "id")
        return IssuedKey(id: id, token: try answer.string("token"), path: "\(Self.keys(workspace))/\(id)")
    }

    /// Creates a client key.
    package func makeClientKey(
        _ name: String = "key",
        subject: String = "user_1",
        _ settings: JSONValue = [:],
        in workspace: String = Self.workspace,
        as token: String? = nil,
        at location: SourceLocation = #_sourceLocation
    ) async throws -> IssuedKey {
        var body = settings.object ?? JSONObject()
        body["name"] = .string(name)
        body["subject"] = .string(subject)
        let path = "/v1/workspaces/\(workspace)/client-keys"
        let answer = try await api.post(path, .object(body), as: token ?? adminToken, at: location)
        try #require(answer.status == 201, "\(answer)", sourceLocation: location)
        let id = try answer.string("key", "id")
        return IssuedKey(id: id, token: try answer.string("token"), path: "\(path)/\(id)")
    }

    /// Creates an admin key with the given permissions only.
    package func makeAdmin(
        _ permissions: [String],
        organization: String = "default",
        as token: String? = nil,
        at location: SourceLocation = #_sourceLocation
    ) async throws -> IssuedKey {
        let path = "/v1/organizations/\(organization)/admin-keys"
        let body: JSONValue = [
            "name": .string("admin \(permissions.joined(separator: " "))"),
            "permissions": .array(permissions.map { .string($0) }),
        ]
        let answer = try await api.post(path, body, as: token ?? adminToken, at: location)
        try #require(answer.status == 201, "\(answer)", sourceLocation: location)
        let id = try answer.string("key", "id")
        return IssuedKey(id: id, token: try answer.string("token"), path: "\(path)/\(id)")
    }

    /// An organization with its default workspace and first admin key.
    package struct TestOrganization: Sendable {
        package let id: String
        package let workspaceID: String
        package let token: String
        package let adminKeyID: String
    }

    /// Creates an organization.
    package func makeOrganization(_ name: String, at location: SourceLocation = #_sourceLocation) async throws
        -> TestOrganization
    {
        let answer = try await api.post("/v1/organizations", ["name": .string(name)], as: operatorToken, at: location)
        try #require(answer.status == 201, "\(answer)", sourceLocation: location)
        return TestOrganization(
            id: try answer.string("organization", "id"),
            workspaceID: try answer.string("default_workspace", "id"),
            token: try answer.string("token"),
            adminKeyID: try answer.string("admin_key", "id")
        )
    }

    /// Verifies a token.
    package func verify(
        _ token: String,
        _ asked: JSONValue = [:],
        as credential: String? = nil,
        at location: SourceLocation = #_sourceLocation
    ) async throws -> Answer {
        var body = asked.object ?? JSONObject()
        body["token"] = .string(token)
        return try await api.post("/v1/verify", .object(body), as: credential ?? adminToken, at: location)
    }

    /// Verifies a token, and returns the code of the verdict.
    package func verdict(
        _ token: String,
        _ asked: JSONValue = [:],
        as credential: String? = nil,
        at location: SourceLocation = #_sourceLocation
    ) async throws -> String {
        let answer = try await verify(token, asked, as: credential, at: location)
        #expect(answer.status == 200, "\(answer)", sourceLocation: location)
        #expect((answer.code == "valid") == (answer["valid"] == true), "\(answer)", sourceLocation: location)
        return answer.code ?? ""
    }
}
