import Endpoints
import FoundationEssentials
import HTTPTypes
import JSON
import KeyStore
import Keys
import Service

/// The operations that stop several keys at once.
extension KeyRoutes {
    private typealias Batch = @Sendable ([UUID], KeyCollection, Caller, NativeRequest) async throws -> [KeyRecord]

    /// Declares an operation that changes several keys and answers with the keys.
    private func batch(
        _ suffix: String,
        id: String,
        _ summary: String,
        description: String,
        body: Schema,
        _ change: @escaping Batch
    ) -> NativeEndpoint {
        endpoint(
            .post,
            "/batch/\(suffix)",
            id: id,
            summary,
            .keysWrite,
            description: """
                \(description) All keys are changed, or none: the answer to a refused request names the keys that are its reason by their \
                position in `ids`.
                """,
            body: .required(body),
            responses: [EndpointResult(.ok, "The changed keys, in the order of `ids`.", KeySchema.batchAnswer)],
            problems: [.notFound]
        ) { request in
            let home = try await home(request, .keysWrite)
            let changed = try await change(try keys(request), home, try context.caller(request), request)
            let answers = changed.map { json($0, home) }
            // 100 keys can have 2 MB, which the thread of requests does not write: others wait for it.
            return await .long { writer in writer.object { $0.member("data", answers) } }
        }
    }

    /// Returns the key ids in the body.
    ///
    /// - Throws: `Refusal.ofKeys` if a text is not an id as the service writes it.
    private func keys(_ request: NativeRequest) throws -> [UUID] {
        let texts: [String] = try request.body.required("ids")
        let ids = texts.map { UUIDv7.parse($0) }
        let unknown = ids.indices.filter { ids[$0] == nil }
        guard unknown.isEmpty else { throw Refusal.ofKeys(unknown, .notFound) }
        return ids.compactMap(\.self)
    }

    var revokeSeveral: NativeEndpoint {
        batch(
            "revoke",
            id: "revoke\(family.schemaName)s",
            "Revoke several \(family.noun)s",
            description: """
                Final. Every verification that starts after the answer is refused. A key that is revoked already stays as it is.
                """,
            body: KeySchema.batchRevoke
        ) { ids, home, caller, request in
            let reason: String? = try request.body.optional("reason")
            return try await context.platform.keys.revoke(ids, reason: reason, in: home, by: caller)
        }
        .stopping()
    }

    var disableSeveral: NativeEndpoint {
        batch(
            "disable",
            id: "disable\(family.schemaName)s",
            "Disable several \(family.noun)s",
            description: "The keys are refused until they are enabled again.",
            body: KeySchema.batchDisable
        ) { ids, home, caller, _ in try await context.platform.keys.disable(ids, in: home, by: caller) }
        .stopping()
    }
}
