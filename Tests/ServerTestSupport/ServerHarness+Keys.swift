package import FoundationEssentials
import JSON
package import KeyStore
import Keys
import Server
package import Service
package import Testing

/// Calls of the key use cases as in a dialect.
extension ServerHarness {
    package var keyService: KeyService { server.platform.keys }

    /// Returns a caller with the first admin key, or with another token.
    package func caller(_ token: String? = nil, idempotency: String? = nil) async throws -> Caller {
        let principal = try await server.platform.access.authenticate(token ?? adminToken, from: nil)
        let request = idempotency.map {
            IdempotentRequest(key: $0, method: "POST", path: "/test", query: "", body: [])
        }
        return Caller(principal: principal, address: "192.0.2.9", requestID: nil, idempotency: request)
    }

    /// Returns the client keys of the default workspace.
    package func clientKeys(of subject: String? = nil) async throws -> KeyCollection {
        let caller = try await caller()
        return try await server.platform.access.clientKeys(
            ofWorkspace: nil,
            subject: subject,
            for: caller.principal,
            .keysWrite
        )
    }

    /// Returns the service keys of a workspace of the organization `default`.
    package func serviceKeys(of workspace: String? = nil) async throws -> KeyCollection {
        let caller = try await caller()
        return try await server.platform.access.keys(ofWorkspace: workspace, for: caller.principal, .keysWrite)
    }

    /// A created key and its token.
    package struct CreatedKey: Sendable {
        package let key: KeyRecord
        package let token: String
    }

    /// Returns the id in a stored answer, which is JSON.
    private static func id(_ answer: String) throws -> UUID {
        try #require(try JSONValue(parsing: answer.utf8).array?.first?.string.flatMap { UUIDv7.parse($0) })
    }

    /// Creates a key.
    package func createKey(_ draft: KeyDraft, in home: KeyCollection, idempotency: String? = nil) async throws
        -> CreatedKey
    {
        let issued = try await keyService.create(
            draft,
            in: home,
            by: try await caller(idempotency: idempotency)
        ) { key in "[\"\(UUIDv7.text(of: key.id))\"]" }
        let id = try Self.id(issued.answer)
        return CreatedKey(key: try await keyService.get(id, in: home), token: issued.token.reveal())
    }

    /// Replaces a key with a new key.
    package func replace(
        _ id: UUID,
        _ replacement: KeyReplacement = KeyReplacement(),
        in home: KeyCollection,
        idempotency: String? = nil
    ) async throws -> CreatedKey {
        let issued = try await keyService.replace(
            id,
            replacement,
            in: home,
            by: try await caller(idempotency: idempotency)
        ) { new, _ in "[\"\(UUIDv7.text(of: new.id))\"]" }
        let made = try Self.id(issued.answer)
        return CreatedKey(key: try await keyService.get(made, in: home), token: issued.token.reveal())
    }
}

/// Returns the name of the refusal that a use case throws.
package func refusal<T>(
    at location: SourceLocation = #_sourceLocation,
    _ body: () async throws -> T
) async throws -> String {
    do {
        _ = try await body()
        return "nothing"
    } catch let refusal as Refusal {
        switch refusal {
        case .invalid(let fields): return fields.map(\.pointer).joined(separator: " ")
        case .nameTaken: return "nameTaken"
        case .notFound: return "notFound"
        case .conflict: return "conflict"
        case .forbidden, .forbiddenKind: return "forbidden"
        case .workspaceUnavailable: return "workspaceUnavailable"
        case .idempotencyKeyReused: return "idempotencyKeyReused"
        default: return "\(refusal)"
        }
    }
}
