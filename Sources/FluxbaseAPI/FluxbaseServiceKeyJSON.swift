import Endpoints
import FoundationEssentials
import JSON
import KeyStore
import Keys

/// The JSON of a service key in Fluxbase's dialect.
///
/// A member without a value is omitted.
enum FluxbaseServiceKeyJSON {
    /// Returns the members.
    static func object(_ key: KeyRecord) -> JSONObject {
        var object: JSONObject = [
            "id": .string(UUIDv7.text(of: key.id)),
            "name": .string(key.name),
            "key_prefix": .string(key.prefix),
            "key_type": .string(key.kind.rawValue),
            "scopes": .array(key.scopes.map(JSONValue.string)),
            "enabled": .bool(key.disabledAt == nil && key.revokedAt == nil),
            "created_by": .string(FluxbaseActor.text(key.createdBy)),
            "created_at": .string(key.createdAt.rfc3339),
        ]
        object["description"] = key.description.map(JSONValue.string)
        object["allowed_namespaces"] = key.allowedNamespaces.map { .array($0.map(JSONValue.string)) }
        object["rate_limit_per_minute"] = key.rateLimitPerMinute.map { .integer(Int64($0)) }
        object["rate_limit_per_hour"] = key.rateLimitPerHour.map { .integer(Int64($0)) }
        object["last_used_at"] = key.lastUsedAt.map { .string($0.rfc3339) }
        object["expires_at"] = key.expiresAt.map { .string($0.rfc3339) }
        object["revoked_at"] = key.revokedAt.map { .string($0.rfc3339) }
        object["deprecated_at"] = key.deprecatedAt.map { .string($0.rfc3339) }
        object["grace_period_ends_at"] = key.gracePeriodEndsAt.map { .string($0.rfc3339) }
        object["replaced_by"] = key.replacedBy.map { .string(UUIDv7.text(of: $0)) }
        return object
    }

    private static let fields: [Field] = [
        .required("id", FluxbaseSchema.id), .required("name", .string(max: 255)),
        .required("key_prefix", .string(max: 16)), .required("key_type", .oneOf("anon", "service")),
        .required("scopes", .array(of: .string(max: 255), max: 1000)), .required("enabled", .boolean),
        .required("created_by", .string(max: 255)), .required("created_at", FluxbaseSchema.time),
        .optional("description", .string(max: 2000)),
        .optional("allowed_namespaces", .array(of: .string(max: 255), max: 1000)),
        .optional("rate_limit_per_minute", FluxbaseSchema.limit),
        .optional("rate_limit_per_hour", FluxbaseSchema.limit),
        .optional("last_used_at", FluxbaseSchema.time), .optional("expires_at", FluxbaseSchema.time),
        .optional("revoked_at", FluxbaseSchema.time), .optional("deprecated_at", FluxbaseSchema.time),
        .optional("grace_period_ends_at", FluxbaseSchema.time), .optional("replaced_by", FluxbaseSchema.id),
    ]

    /// The schema of a key.
    static let schema = Schema.object(fields)

    /// The schema of a key with the outcome of a request.
    static let changed = Schema.object(fields + FluxbaseOutcome.fields)

    /// The schema of a key and its token.
    static let issued = Schema.object(fields + [.required("key", .string(max: 255))])

    /// The schema of a list.
    static let list = Schema.array(of: schema, max: FluxbaseContext.maximumList)

    /// The schema of the answer to a rotation, in its two shapes at once.
    static let rotated = Schema.object(
        fields + FluxbaseOutcome.fields + [
            .required("key", .string(max: 255)), .required("old_key_id", FluxbaseSchema.id),
            .required("grace_period_ends", FluxbaseSchema.time), .required("new_key", issued),
        ]
    )

    /// The schema of the answer to a deprecation, in its two shapes at once.
    static let deprecated = Schema.object(
        FluxbaseOutcome.fields + [
            .required("deprecated_at", FluxbaseSchema.time), .required("grace_period_ends_at", FluxbaseSchema.time),
            .required("key_id", FluxbaseSchema.id), .required("grace_period_ends", FluxbaseSchema.time),
            .required("grace_period_hours", .integer(0...720)),
        ]
    )

    /// The schema of the answer to a revocation.
    static let revoked = Schema.object(FluxbaseOutcome.fields + [.required("key_id", FluxbaseSchema.id)])
}

/// The name of an actor in Fluxbase's dialect: users by their id.
enum FluxbaseActor {
    /// Returns the user id of a member, or the actor as events have it.
    static func text(_ actor: String) -> String {
        ActorKind.member.id(of: actor) ?? actor
    }
}
