import Endpoints
import FoundationEssentials
import HTTPTypes
import JSON
import KeyStore
import Keys
import Service

/// The operations that change a key.
extension ClerkKeyRoutes {
    var update: ClerkEndpoint {
        endpoint(
            .patch,
            "/{api_key_id}",
            id: "UpdateAPIKey",
            "Change an API key",
            .any(Permission.keysWrite.rawValue),
            body: .required(ClerkSchema.anyBody),
            responses: [EndpointResult(.ok, "The changed key.", ClerkKeyJSON.schema)],
            problems: [.conflict]
        ) { request in
            try requireBody(request, ClerkSchema.update, inSession: ClerkSchema.updateInSession)
            let id = try key(request)
            let home = try await homeToChange(id, request)
            let patch = try patch(request.body)
            do {
                let caller = try context.caller(request)
                return .json(json(try await context.platform.keys.update(id, patch, in: home, by: caller)))
            } catch Refusal.conflict(let sentence) {
                // Here clients understand 409 only as a name that is taken.
                throw Problem(.invalidRequest, detail: sentence)
            }
        }
    }

    /// Returns a change of a key.
    ///
    /// An absent member stays as it is, `null` clears it.
    private func patch(_ body: Fields) throws -> KeyPatch {
        var patch = KeyPatch()
        if case .set(let subject) = try body.change("subject", as: String.self) { patch.subject = .set(subject) }
        if case .set(let scopes) = try body.change("scopes", as: [String].self) {
            patch.scopes = .set(Self.scopes(scopes))
        }
        switch try body.change("description", as: String.self) {
        case .keep: break
        case .clear: patch.description = .set(nil)
        case .set(let text): patch.description = .set(text)
        }
        switch try body.change("claims", as: JSONValue.self) {
        case .keep: break
        case .clear: patch.claims = .set(nil)
        case .set(let claims): patch.claims = .set(claims)
        }
        switch try body.change("seconds_until_expiration", as: Double.self) {
        case .keep: break
        case .clear: patch.expiry = .set(.never)
        case .set(let seconds): patch.expiry = .set(.after(Self.lifetime(seconds)))
        }
        return patch
    }

    var revoke: ClerkEndpoint {
        endpoint(
            .post,
            "/{api_key_id}/revoke",
            id: "RevokeAPIKey",
            "Revoke an API key",
            .any(Permission.keysWrite.rawValue),
            body: .optional(ClerkSchema.revoke),
            responses: [EndpointResult(.ok, "The changed key.", ClerkKeyJSON.schema)]
        ) { request in
            let id = try key(request)
            let home = try await homeToChange(id, request)
            let reason: String? = try request.body.optional("revocation_reason")
            let caller = try context.caller(request)
            return .json(json(try await context.platform.keys.revoke(id, reason: reason, in: home, by: caller)))
        }
        .stopping()
    }

    var delete: ClerkEndpoint {
        endpoint(
            .delete,
            "/{api_key_id}",
            id: "DeleteAPIKey",
            "Delete an API key",
            .admin(Permission.keysWrite.rawValue),
            responses: [
                EndpointResult(
                    .ok,
                    "The key was deleted, and its name is free.",
                    .object([
                        .required("id", .string(min: 35, max: 35)), .required("object", .oneOf("api_key")),
                        .required("deleted", .boolean),
                    ])
                )
            ]
        ) { request in
            let id = try key(request)
            let home = try await context.home(request, .keysWrite)
            try await context.platform.keys.delete(id, in: home, by: try context.caller(request))
            return .object {
                $0.member("id", ClerkKeyID.text(of: id))
                $0.member("object", "api_key")
                $0.member("deleted", true)
            }
        }
        .stopping()
    }

    /// Returns the key collection that contains a key to be changed.
    ///
    /// A session reaches the keys of its user and of its active organization. Only the key itself says to which of the two it belongs.
    ///
    /// - Throws: `Refusal.forbidden` for a key that the session can read but not change, `Refusal.notFound` for any other key.
    private func homeToChange(_ id: UUID, _ request: ClerkRequest) async throws -> KeyCollection {
        guard let session = try request.caller.session else { return try await context.home(request, .keysWrite) }
        for subject in [session.userID, session.activeOrganization?.id].compactMap(\.self)
        where session.allows(.keysRead, over: subject) {
            let home = try await context.home(request, subject: subject, .keysRead)
            do {
                _ = try await context.platform.keys.get(id, in: home)
            } catch Refusal.notFound {
                continue
            }
            return try await context.home(request, subject: subject, .keysWrite)
        }
        throw Refusal.notFound
    }
}
