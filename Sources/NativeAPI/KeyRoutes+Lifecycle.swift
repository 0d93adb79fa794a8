import Endpoints
import FoundationEssentials
import HTTPTypes
import KeyStore
import Keys
import Service

/// The operations that change a key.
extension KeyRoutes {
    private typealias Mutation = @Sendable (UUID, KeyCollection, Caller, NativeRequest) async throws -> KeyRecord

    /// Declares an operation that changes a key and answers with the key.
    private func change(
        _ method: EndpointMethod,
        _ suffix: String,
        id: String,
        _ summary: String,
        description: String,
        body: RequestBodySchema? = nil,
        _ mutation: @escaping Mutation
    ) -> NativeEndpoint {
        endpoint(
            method,
            suffix,
            id: id,
            summary,
            .keysWrite,
            description: description,
            body: body,
            responses: [EndpointResult(.ok, "The changed key.", KeyJSON.schema)]
        ) { request in
            let home = try await home(request, .keysWrite)
            let changed = try await mutation(try key(request), home, try context.caller(request), request)
            return .json(json(changed, home))
        }
    }

    var update: NativeEndpoint {
        change(
            .patch,
            "/{id}",
            id: "update\(family.schemaName)",
            "Change \(family.article) \(family.noun)",
            description: """
                An absent member stays as it is, and `null` clears every setting except the name. The caller's own restrictions bound \
                `null` as they bound every other value. Type and mode are immutable. A revoked key cannot be changed.
                """,
            body: .required(KeySchema.patch(family))
        ) { id, home, caller, request in
            try await context.platform.keys.update(id, try KeyInput.patch(request.body), in: home, by: caller)
        }
    }

    var disable: NativeEndpoint {
        change(
            .post,
            "/{id}/disable",
            id: "disable\(family.schemaName)",
            "Disable \(family.article) \(family.noun)",
            description: "The key is refused until it is enabled again."
        ) { id, home, caller, _ in try await context.platform.keys.disable(id, in: home, by: caller) }
        .stopping()
    }

    var enable: NativeEndpoint {
        change(
            .post,
            "/{id}/enable",
            id: "enable\(family.schemaName)",
            "Enable \(family.article) \(family.noun)",
            description: "An expired key stays expired."
        ) { id, home, caller, _ in try await context.platform.keys.enable(id, in: home, by: caller) }
    }

    var deprecate: NativeEndpoint {
        change(
            .post,
            "/{id}/deprecate",
            id: "deprecate\(family.schemaName)",
            "Deprecate \(family.article) \(family.noun)",
            description:
                "The key works until the grace period ends. Calling it again can shorten the grace period, never extend it.",
            body: .optional(KeySchema.deprecate)
        ) { id, home, caller, request in
            let reason: String? = try request.body.optional("reason")
            let grace = try KeyInput.grace(request.body)
            return try await context.platform.keys.deprecate(id, reason: reason, grace: grace, in: home, by: caller)
        }
    }

    var revoke: NativeEndpoint {
        change(
            .post,
            "/{id}/revoke",
            id: "revoke\(family.schemaName)",
            "Revoke \(family.article) \(family.noun)",
            description:
                "Final. Every verification that starts after the answer is refused. A repeated call gets the same answer.",
            body: .optional(KeySchema.revoke)
        ) { id, home, caller, request in
            let reason: String? = try request.body.optional("reason")
            return try await context.platform.keys.revoke(id, reason: reason, in: home, by: caller)
        }
        .stopping()
    }

    var delete: NativeEndpoint {
        endpoint(
            .delete,
            "/{id}",
            id: "delete\(family.schemaName)",
            "Delete \(family.article) \(family.noun)",
            .keysWrite,
            description: "The key's events stay.",
            responses: [EndpointResult(.noContent, "Deleted.")]
        ) { request in
            let home = try await home(request, .keysWrite)
            try await context.platform.keys.delete(try key(request), in: home, by: try context.caller(request))
            return .noContent
        }
        .stopping()
    }
}
