import MortiseClient
import ServerTestSupport

/// Runs the body with clients of a real server.
///
/// One client has the admin key of the organization `default`, and the other one the operator key.
func withClients(_ body: (_ admin: Mortise, _ platform: Mortise) async throws -> Void) async throws {
    try await withRunningServer { server in
        try await withHTTPClient { http in
            let url = try ServerURL(server.url)
            try await body(
                Mortise(url: url, credential: .token(SecretToken(server.adminToken)), options: .patient, http: http),
                Mortise(url: url, credential: .token(SecretToken(server.operatorToken)), options: .patient, http: http)
            )
        }
    }
}
