import Endpoints
import HTTPTypes
import Keys
import NIOCore
import Service
import Surfaces

/// The parts that all routes of Clerk's dialect use.
struct ClerkContext: Sendable {
    let platform: Platform
    let clients: ClientAddresses

    /// Returns the caller of a request: principal, address and request id.
    func caller(_ request: ClerkRequest) throws -> Caller {
        clients.caller(request, as: try request.caller)
    }

    /// Returns the key collection that the path names, of all subjects or of one.
    ///
    /// A session reaches only the keys of its own subjects.
    func home(
        _ request: ClerkRequest,
        subject: String? = nil,
        _ permission: Permission
    ) async throws -> KeyCollection {
        try await platform.access.clientKeys(
            ofWorkspace: request.parameters.first { $0.name == "workspace" }?.value,
            subject: subject,
            for: try request.caller,
            permission
        )
    }

    /// Authenticates callers.
    ///
    /// A bearer with two dots is a session; any other bearer is the secret key.
    var security: EndpointSecurity<Principal> {
        EndpointSecurity(
            authenticate: { [platform, clients] headers, context, isRepeated in
                guard let value = headers[.authorization], let bearer = BearerCredential.read(value) else {
                    throw ClerkProblems.noBearer
                }
                if Self.isSession(bearer) {
                    let principal: Principal
                    do {
                        principal = try await platform.sessionIssuers.principal(for: bearer)
                    } catch Refusal.unauthenticated {
                        throw ClerkProblems.invalidSession
                    }
                    // A session of another subject would reach keys of other dialects, or those of an organization without a role there.
                    guard let id = principal.session?.userID, ClerkSubject(id)?.kind == .user else {
                        throw ClerkProblems.noUser
                    }
                    return principal
                }
                do {
                    return try await platform.access.authenticate(
                        bearer,
                        from: clients.address(headers, context.remoteAddress),
                        isRepeated: isRepeated
                    )
                } catch Refusal.unauthenticated {
                    throw ClerkProblems.unknownSecretKey
                }
            },
            authorize: { principal, access in
                guard case .restricted(let audience, let name) = access else { return }
                if principal.session != nil {
                    // The subjects that the session reaches are checked later, when the request's subject is known.
                    guard audience == .any else { throw ClerkProblems.secretKeyOnly }
                    return
                }
                guard principal.organizationID != nil else { throw ClerkProblems.secretKeyOnly }
                if let permission = name.flatMap(Permission.init(rawValue:)) { try principal.require(permission) }
            },
            describe: \.accessLogMembers,
            onBehalf: { try await $0.takingTurns($1) }
        )
    }

    /// True if a bearer is a JSON Web Token (RFC 7519), which has three parts.
    ///
    /// No key has a dot.
    private static func isSession(_ bearer: String) -> Bool {
        bearer.utf8.count { $0 == UInt8(ascii: ".") } == 2
    }
}

extension Principal {
    /// The session of an application's user.
    ///
    /// `nil` for other callers.
    var session: ExternalSession? {
        if case .external(let session) = identity { session } else { nil }
    }
}
