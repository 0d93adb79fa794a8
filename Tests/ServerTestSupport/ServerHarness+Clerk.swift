package import JSON
package import Testing

/// Helpers for tests of the Clerk surface.
extension ServerHarness {
    /// A user and an organization of the application.
    package static let user = SessionSigner.user
    package static let otherUser = "user_" + String(repeating: "b", count: 27)
    package static let organization = "org_" + String(repeating: "c", count: 27)

    /// The sixteen members of an API key.
    package static let apiKeyMembers: Set<String> = [
        "object", "id", "type", "subject", "name", "description", "claims", "scopes", "revoked", "revocation_reason",
        "expired",
        "expiration", "created_by", "last_used_at", "created_at", "updated_at",
    ]

    /// An API key and its secret.
    package struct APIKey: Sendable {
        package let id: String
        package let secret: String
    }

    /// Sends a request to the Clerk surface, and checks the answer.
    package func clerk(
        _ method: String,
        _ path: String,
        _ body: JSONValue? = nil,
        raw: String? = nil,
        as token: String? = nil,
        headers: [(String, String)] = [],
        at location: SourceLocation = #_sourceLocation
    ) async throws -> Answer {
        let answer = try await api.send(
            method,
            "/clerk" + path,
            body,
            raw: raw,
            as: token ?? adminToken,
            headers: headers,
            at: location
        )
        if answer.status != 204, method != "HEAD" { Self.check(answer, at: location) }
        return answer
    }

    /// Checks the media type of an answer, and the three texts of each error.
    package static func check(_ answer: Answer, at location: SourceLocation = #_sourceLocation) {
        #expect(answer.headers["content-type"] == "application/json", "\(answer)", sourceLocation: location)
        #expect(answer.headers["cache-control"] == "no-store", "\(answer)", sourceLocation: location)
        guard answer.status >= 400 else { return }
        let errors = answer["errors"]?.array ?? []
        #expect(!errors.isEmpty, "\(answer)", sourceLocation: location)
        for error in errors {
            for member in ["message", "long_message", "code"] {
                #expect(error[member]?.string?.isEmpty == false, "\(answer)", sourceLocation: location)
            }
            #expect(error["code"] != "requires_captcha", sourceLocation: location)
        }
        let trace = answer["clerk_trace_id"]?.string
        #expect(trace == answer.headers["x-request-id"], "\(answer)", sourceLocation: location)
    }

    /// Creates an API key.
    package func makeAPIKey(
        _ name: String = "A key",
        _ settings: JSONValue = [:],
        subject: String = Self.user,
        as token: String? = nil,
        at location: SourceLocation = #_sourceLocation
    ) async throws -> APIKey {
        var body = settings.object ?? JSONObject()
        body["name"] = .string(name)
        body["subject"] = .string(subject)
        let answer = try await clerk("POST", "/v1/api_keys", .object(body), as: token, at: location)
        try #require(answer.status == 201, "\(answer)", sourceLocation: location)
        return APIKey(id: try answer.string("id"), secret: try answer.string("secret"))
    }

    /// Makes the organization `default` trust the sessions of a signer.
    ///
    /// In these sessions, members can read keys and admins can manage keys.
    package func addSessionIssuer(_ signer: SessionSigner, at location: SourceLocation = #_sourceLocation) async throws
    {
        let answer = try await api.post(
            "/v1/organizations/default/session-issuers",
            [
                "issuer": .string(SessionSigner.issuer), "jwks": try signer.keySet(),
                "authorized_parties": ["https://app.example"], "read_roles": ["member"], "manage_roles": ["admin"],
            ],
            as: operatorToken,
            at: location
        )
        try #require(answer.status == 201, "\(answer)", sourceLocation: location)
    }

    /// Returns the status of the verification of a secret.
    package func clerkVerify(
        _ secret: String,
        as token: String? = nil,
        at location: SourceLocation = #_sourceLocation
    ) async throws -> Int {
        try await clerk("POST", "/api_keys/verify", ["secret": .string(secret)], as: token, at: location).status
    }
}

extension Answer {
    /// The code of the first error.
    package var clerkCode: String? { self["errors"]?.array?.first?["code"]?.string }

    /// The parameters that the errors name.
    package var clerkParameters: [String] {
        (self["errors"]?.array ?? []).compactMap { $0["meta"]?["param_name"]?.string }
    }

    /// The names of the members.
    package var memberNames: Set<String> { Set(json.object?.members.map(\.name) ?? []) }

    /// The names of the keys of a list.
    package var listedNames: [String] { (self["data"]?.array ?? []).compactMap { $0["name"]?.string } }
}
