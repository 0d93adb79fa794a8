import Endpoints
import HTTPTypes
import Keys
import NIOCore
import Service
import Surfaces

/// What all routes share.
struct ClerkContext: Sendable {
    let platform: Platform
    let clients: ClientAddresses
    let now: @Sendable () -> Timestamp

    /// Who asks, from where, under which id.
    func caller(_ request: ClerkRequest) throws -> Caller {
        clients.caller(request, as: try request.caller)
    }

    /// The keys that the path names, of all subjects or of one.
    ///
    /// A session comes to its own subjects' keys alone.
    func home(
        _ request: ClerkRequest,
        subject: String? = nil,
        _ permission: Permission
    ) async throws -> KeyHome {
        try await platform.access.clientKeys(
            ofWorkspace: request.parameters.first { $0.name == "workspace" }?.value,
            subject: subject,
            for: try request.caller,
            permission
        )
    }

    /// Who may call what: a bearer with two dots is a session, any other the secret key.
    var security: EndpointSecurity<Principal> {
        EndpointSecurity(
            authenticate: { [platform, clients] headers, context, isAgain in
                guard let value = headers[.authorization], let bearer = BearerCredential.read(value) else {
                    throw ClerkProblems.noBearer
                }
                if Self.isSession(bearer) {
                    do {
                        return try await platform.sessionIssuers.principal(for: bearer)
                    } catch Refusal.unauthenticated {
                        throw ClerkProblems.invalidSession
                    }
                }
                do {
                    return try await platform.access.authenticate(
                        bearer,
                        from: clients.address(headers, context.remoteAddress),
                        isAgain: isAgain
                    )
                } catch Refusal.unauthenticated {
                    throw ClerkProblems.unknownSecretKey
                }
            },
            authorize: { principal, access in
                guard case .restricted(let audience, let name) = access else { return }
                if principal.session != nil {
                    // Which subjects' keys it reaches is decided when the request has said whose it means.
                    guard audience == .any else { throw ClerkProblems.secretKeyOnly }
                    return
                }
                guard principal.organizationID != nil else { throw ClerkProblems.secretKeyOnly }
                if let permission = name.flatMap(Permission.init(rawValue:)) { try principal.require(permission) }
            }
        )
    }

    /// Whether a bearer is a JSON Web Token (RFC 7519), which has three parts; no key has a dot.
    private static func isSession(_ bearer: String) -> Bool {
        bearer.utf8.count { $0 == UInt8(ascii: ".") } == 2
    }
}

extension Principal {
    /// The session of one of the application's users, if that is who asks.
    var session: ExternalSession? {
        if case .external(let session) = identity { session } else { nil }
    }
}
