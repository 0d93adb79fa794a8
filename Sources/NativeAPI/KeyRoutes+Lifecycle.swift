import Endpoints
import FoundationEssentials
import HTTPTypes
import KeyStore
import Keys
import Service

/// The operations that change a key.
extension KeyRoutes {
    private typealias Mutation = @Sendable (UUID, KeyHome, Caller, NativeRequest) async throws -> KeyRecord

    /// Declares an operation that changes a key and answers with it.
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
            responses: [EndpointResult(.ok, "The key as it is now.", KeyJSON.schema)],
            problems: [.conflict]
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
                What is absent stays; `null` clears. Type and mode are fixed when the key is made. A revoked key cannot be changed.
                """,
            body: .required(KeySchema.patch(family, now: context.now))
        ) { id, home, caller, request in
            try await context.platform.keys.update(id, try KeyInput.patch(request.body), in: home, by: caller)
        }
    }

    var disable: NativeEndpoint {
        change(
            .post,
            "/{id}/disable",
            id: "disable\(family.schemaName)",
            "Switch \(family.article) \(family.noun) off",
            description: "It is refused until it is enabled again."
        ) { id, home, caller, _ in try await context.platform.keys.disable(id, in: home, by: caller) }
    }

    var enable: NativeEndpoint {
        change(
            .post,
            "/{id}/enable",
            id: "enable\(family.schemaName)",
            "Switch \(family.article) \(family.noun) on",
            description: "It does not bring back what has expired."
        ) { id, home, caller, _ in try await context.platform.keys.enable(id, in: home, by: caller) }
    }

    var deprecate: NativeEndpoint {
        change(
            .post,
            "/{id}/deprecate",
            id: "deprecate\(family.schemaName)",
            "Announce the end of \(family.article) \(family.noun)",
            description:
                "It works until the grace period ends. Again, this can bring the end nearer and not put it off.",
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
                "For good: every verification that starts after the answer is refused. Again, the answer is the same.",
            body: .optional(KeySchema.revoke)
        ) { id, home, caller, request in
            let reason: String? = try request.body.optional("reason")
            return try await context.platform.keys.revoke(id, reason: reason, in: home, by: caller)
        }
    }

    var delete: NativeEndpoint {
        endpoint(
            .delete,
            "/{id}",
            id: "delete\(family.schemaName)",
            "Delete \(family.article) \(family.noun)",
            .keysWrite,
            description: "Its events stay.",
            responses: [EndpointResult(.noContent, "It is gone.")]
        ) { request in
            let home = try await home(request, .keysWrite)
            try await context.platform.keys.delete(try key(request), in: home, by: try context.caller(request))
            return .noContent
        }
    }
}
