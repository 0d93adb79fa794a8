import Endpoints
import FoundationEssentials
import HTTPTypes
import JSON
import KeyStore
import Keys
import Service
import Tenancy
import Verification

/// The operation that verifies a secret and returns its key.
struct ClerkVerifyRoutes: Sendable {
    let context: ClerkContext
    let path: ClerkPath

    var endpoints: [ClerkEndpoint] { [verify] }

    /// Verifies a secret.
    ///
    /// Every invalid secret is answered with 404.
    ///
    /// Clients read any 2xx as valid, without a look at `revoked` and `expired`, and only 404 as invalid.
    private var verify: ClerkEndpoint {
        ClerkEndpoint(
            .post,
            path.keys + "/verify",
            id: "clerkVerifyAPIKey\(path.suffix)",
            tag: ClerkSurface.tag,
            summary: "Verify a secret",
            access: .admin(Permission.keysVerify.rawValue),
            parameters: path.parameters,
            query: .ignored,
            body: .required(ClerkSchema.verify),
            responses: [EndpointResult(.ok, "The key, which is valid.", ClerkKeyJSON.schema)],
            problems: [.notFound, .rateLimited, .workspaceUnavailable, .serviceUnavailable],
            deadline: nil,
            waits: .only(context.platform.verifier.deadline),
            logsAccess: false,
            isDocumented: false
        ) { request in
            let home = try await context.home(request, .keysVerify)
            guard let workspace = home.workspace else { throw Refusal.notFound }
            // A service key is not a key of Clerk's dialect, so only client keys are found.
            let (verdict, record) = try await context.platform.verifier.verifyClientKey(
                try request.body.required("secret"),
                VerificationRequest(),
                audience: .workspace(workspace.id, of: workspace.organizationID)
            )
            if verdict.code == .rateLimited { throw Self.limited(verdict) }
            guard verdict.code.isValid, let record else { throw Refusal.notFound }
            return .json(ClerkKeyJSON(record))
        }
    }

    /// Returns the problem for a key over its limit.
    ///
    /// The key is valid, so clients must not read the answer as invalid.
    private static func limited(_ verdict: Verdict) -> Problem {
        let (seconds, attoseconds) = (verdict.rateLimit?.retryAfter ?? .seconds(1)).components
        return .rateLimited(retryAfter: Int(seconds) + (attoseconds > 0 ? 1 : 0))
    }
}
