import Endpoints
import FoundationEssentials
import HTTPTypes
import JSON
import KeyStore
import Keys
import Service

/// The operations that change the state of a service key.
///
/// The current SDK only needs success from most of them; the previous SDK also needs a message.
extension FluxbaseServiceKeyRoutes {
    var disable: FluxbaseEndpoint {
        endpoint(
            .post,
            "/{id}/disable",
            id: "Disable",
            "Disable a service key",
            .keysWrite,
            EndpointResult(.ok, "The key is refused until it is enabled again.", FluxbaseOutcome.schema)
        ) { home, request in
            _ = try await keys.disable(try id(request), in: home, by: try context.caller(request))
            return FluxbaseOutcome.response("Service key disabled successfully")
        }
        .stopping()
    }

    var enable: FluxbaseEndpoint {
        endpoint(
            .post,
            "/{id}/enable",
            id: "Enable",
            "Enable a service key",
            .keysWrite,
            EndpointResult(.ok, "The key is accepted again, unless it has expired.", FluxbaseOutcome.schema)
        ) { home, request in
            _ = try await keys.enable(try id(request), in: home, by: try context.caller(request))
            return FluxbaseOutcome.response("Service key enabled successfully")
        }
    }

    var revoke: FluxbaseEndpoint {
        endpoint(
            .post,
            "/{id}/revoke",
            id: "Revoke",
            "Revoke a service key",
            .keysWrite,
            body: .optional(FluxbaseSchema.revoke).orForm,
            EndpointResult(.ok, "The key is refused from now on.", FluxbaseServiceKeyJSON.revoked)
        ) { home, request in
            let id = try id(request)
            let reason: String? = try request.body.optional("reason")
            _ = try await keys.revoke(id, reason: reason, in: home, by: try context.caller(request))
            return FluxbaseOutcome.response(
                "Service key revoked successfully",
                ["key_id": .string(UUIDv7.text(of: id))]
            )
        }
        .stopping()
    }

    var deprecate: FluxbaseEndpoint {
        endpoint(
            .post,
            "/{id}/deprecate",
            id: "Deprecate",
            "Deprecate a service key",
            .keysWrite,
            body: .optional(FluxbaseSchema.deprecate).orForm,
            EndpointResult(.ok, "The end of the key.", FluxbaseServiceKeyJSON.deprecated)
        ) { home, request in
            let grace = try FluxbaseGrace.period(request.body)
            let key = try await keys.deprecate(
                try id(request),
                reason: try request.body.optional("reason"),
                grace: grace,
                in: home,
                by: try context.caller(request)
            )
            let end = key.gracePeriodEndsAt?.rfc3339 ?? ""
            // An end that was announced before, or the key's own end, counts if it is earlier than the requested one.
            let length = key.gracePeriodEndsAt.flatMap { end in key.deprecatedAt.map { end - $0 } } ?? .zero
            return FluxbaseOutcome.response(
                "Service key deprecated successfully",
                [
                    "deprecated_at": .string(key.deprecatedAt?.rfc3339 ?? ""),
                    "grace_period_ends_at": .string(end),
                    "key_id": .string(UUIDv7.text(of: key.id)),
                    "grace_period_ends": .string(end),
                    "grace_period_hours": .integer((length.components.seconds + 3599) / 3600),
                ]
            )
        }
    }

    var rotate: FluxbaseEndpoint {
        endpoint(
            .post,
            "/{id}/rotate",
            id: "Rotate",
            "Replace a service key. The old key works until its grace period ends",
            .keysWrite,
            body: .optional(FluxbaseSchema.rotate).orForm,
            EndpointResult(.created, "The new key and its token.", FluxbaseServiceKeyJSON.rotated),
            makes: true
        ) { home, request in
            let id = try id(request)
            let issued = try await keys.replace(
                id,
                try FluxbaseInput.replacement(request.body),
                in: home,
                by: try context.caller(
                    request,
                    path: FluxbaseContext.path("service-keys/\(UUIDv7.text(of: id))/rotate", home)
                )
            ) { new, old in
                var answer = FluxbaseServiceKeyJSON.object(new)
                answer["deprecated_at"] = old.deprecatedAt.map { .string($0.rfc3339) }
                answer["grace_period_ends_at"] = old.gracePeriodEndsAt.map { .string($0.rfc3339) }
                answer["old_key_id"] = .string(UUIDv7.text(of: old.id))
                return JSONValue.object(answer).text
            }
            return try issued.response { answer, token in
                var key = answer
                for name in ["deprecated_at", "grace_period_ends_at", "old_key_id"] { key[name] = nil }
                key["key"] = token
                var whole = answer
                whole["success"] = true
                whole["message"] = "Service key rotated successfully"
                whole["grace_period_ends"] = answer["grace_period_ends_at"]
                whole["new_key"] = .object(key)
                whole["key"] = token
                return whole
            }
        }
    }

    var revocations: FluxbaseEndpoint {
        endpoint(
            .get,
            "/{id}/revocations",
            id: "History",
            "Get the time, actor and reason of a service key's revocation, also after its deletion",
            .keysRead,
            EndpointResult(
                .ok,
                "The last revocation. Its texts are empty if there was none.",
                FluxbaseRevocation.schema
            )
        ) { home, request in
            let id = try id(request)
            let events = try await keys.revocations(id, in: home)
            let name = if let event = events.first { event.keyName } else { try await keys.get(id, in: home).name }
            return .json(JSONValue.object(FluxbaseRevocation.object(id, name ?? "", events)))
        }
    }
}

/// The JSON of a key's revocations: the last one in the SDK's shape, and the list of all.
private enum FluxbaseRevocation {
    static let schema = Schema.object([
        .required("id", FluxbaseSchema.id), .required("name", .string(max: 255)),
        .required("revoked_at", .string(max: 35)), .required("revoked_by", .string(max: 255)),
        .required("revocation_reason", .string(max: 2000)),
        .required(
            "revocations",
            .array(
                of: .object([
                    .required("id", FluxbaseSchema.id), .required("key_id", FluxbaseSchema.id),
                    .required("revoked_by", .string(max: 255)), .required("reason", .string(max: 2000)),
                    .required("revocation_type", .oneOf("emergency")), .required("created_at", FluxbaseSchema.time),
                ]),
                max: FluxbaseContext.maximumList
            )
        ),
    ])

    static func object(_ id: UUID, _ name: String, _ events: [EventRecord]) -> JSONObject {
        let last = events.first
        return [
            "id": .string(UUIDv7.text(of: id)),
            "name": .string(name),
            "revoked_at": .string(last?.occurredAt.rfc3339 ?? ""),
            "revoked_by": .string(last.map { FluxbaseActor.text($0.actor) } ?? ""),
            "revocation_reason": .string(last.map(reason) ?? ""),
            "revocations": .array(
                events.map { event in
                    [
                        "id": .string(UUIDv7.text(of: event.id)),
                        "key_id": .string(UUIDv7.text(of: id)),
                        "revoked_by": .string(FluxbaseActor.text(event.actor)),
                        "reason": .string(reason(event)),
                        "revocation_type": "emergency",
                        "created_at": .string(event.occurredAt.rfc3339),
                    ]
                }
            ),
        ]
    }

    private static func reason(_ event: EventRecord) -> String {
        (try? JSONValue(parsing: event.changes.utf8))?["reason"]?.string ?? ""
    }
}
