import JSON
import Keys
package import Testing

/// Members and sessions in tests.
extension ServerHarness {
    /// A password that is long enough.
    package static let memberPassword = "correct horse battery"

    /// A member who can sign in.
    package struct Person: Sendable {
        /// The membership.
        package let id: String
        package let userID: String
        package let email: String
        package let path: String
    }

    /// A session's tokens.
    package struct Session: Sendable {
        package let access: String
        package let refresh: String
    }

    /// Adds a member with a password.
    package func addMember(
        _ email: String,
        _ role: String,
        workspace: String? = nil,
        organization: String = "default",
        as token: String? = nil,
        at location: SourceLocation = #_sourceLocation
    ) async throws -> Person {
        let path = "/v1/organizations/\(organization)/members"
        let body: JSONValue = [
            "email": .string(email), "role": .string(role), "password": .string(Self.memberPassword),
            "workspace_id": workspace.map { .string($0) } ?? .null,
        ]
        let answer = try await api.post(path, body, as: token ?? adminToken, at: location)
        try #require(answer.status == 201, "\(answer)", sourceLocation: location)
        let id = try answer.string("id")
        return Person(id: id, userID: try answer.string("user", "id"), email: email, path: "\(path)/\(id)")
    }

    /// Signs in.
    ///
    /// An address needs the loopback address as a trusted proxy.
    package func trySignIn(
        _ email: String,
        _ password: String = Self.memberPassword,
        from address: String? = nil,
        at location: SourceLocation = #_sourceLocation
    ) async throws -> Answer {
        try await api.send(
            "POST",
            "/v1/sessions",
            ["email": .string(email), "password": .string(password)],
            as: nil,
            headers: address.map { [("X-Forwarded-For", $0)] } ?? [],
            at: location
        )
    }

    /// Signs in, and returns the tokens of the session.
    package func signIn(
        _ email: String,
        _ password: String = Self.memberPassword,
        at location: SourceLocation = #_sourceLocation
    ) async throws -> Session {
        let answer = try await trySignIn(email, password, at: location)
        try #require(answer.status == 201, "\(answer)", sourceLocation: location)
        return Session(access: try answer.string("access_token"), refresh: try answer.string("refresh_token"))
    }

    /// Adds a member, and signs the member in.
    package func session(
        _ email: String,
        _ role: String,
        workspace: String? = nil,
        organization: String = "default",
        as token: String? = nil,
        at location: SourceLocation = #_sourceLocation
    ) async throws -> String {
        _ = try await addMember(email, role, workspace: workspace, organization: organization, as: token, at: location)
        return try await signIn(email, at: location).access
    }
}
