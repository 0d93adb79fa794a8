import Endpoints
import JSON
import KeyStore
import Keys

/// The JSON of a client key in Fluxbase's dialect.
///
/// A member without a value is omitted.
enum FluxbaseClientKeyJSON {
    /// The number that stands for "no limit" in a member that the SDK types as a number.
    static let unlimited = Int(Int32.max)

    /// Returns the members.
    static func object(_ key: KeyRecord) -> JSONObject {
        var object: JSONObject = [
            "id": .string(UUIDv7.text(of: key.id)),
            "name": .string(key.name),
            "key_prefix": .string(String(key.prefix.prefix(12))),
            "user_id": .string(key.subject ?? ""),
            "scopes": .array(key.scopes.map(JSONValue.string)),
            "rate_limit_per_minute": .integer(Int64(key.rateLimitPerMinute ?? unlimited)),
            "created_at": .string(key.createdAt.rfc3339),
            "updated_at": .string(key.updatedAt.rfc3339),
        ]
        object["description"] = key.description.map(JSONValue.string)
        object["allowed_namespaces"] = key.allowedNamespaces.map { .array($0.map(JSONValue.string)) }
        object["expires_at"] = key.expiresAt.map { .string($0.rfc3339) }
        object["revoked_at"] = key.revokedAt.map { .string($0.rfc3339) }
        object["last_used_at"] = key.lastUsedAt.map { .string($0.rfc3339) }
        return object
    }

    private static let fields: [Field] = [
        .required("id", FluxbaseSchema.id), .required("name", .string(max: 255)),
        .required("key_prefix", .string(max: 12)), .required("user_id", .string(max: 255)),
        .required("scopes", .array(of: .string(max: 255), max: 1000)),
        .required("rate_limit_per_minute", FluxbaseSchema.limit), .required("created_at", FluxbaseSchema.time),
        .required("updated_at", FluxbaseSchema.time), .optional("description", .string(max: 2000)),
        .optional("allowed_namespaces", .array(of: .string(max: 255), max: 1000)),
        .optional("expires_at", FluxbaseSchema.time), .optional("revoked_at", FluxbaseSchema.time),
        .optional("last_used_at", FluxbaseSchema.time),
    ]

    /// The schema of a key.
    static let schema = Schema.object(fields)

    /// The schema of a key with the outcome of a request.
    static let changed = Schema.object(fields + FluxbaseOutcome.fields)

    /// The schema of an answer with a token, under all names that the SDK's versions use.
    static let issued = Schema.object(
        fields + [
            .required("client_key", schema), .required("api_key", schema), .required("key", .string(max: 255)),
        ]
    )

    /// The schema of a list, under all names that the SDK's versions use.
    static let list = Schema.object([
        .required("client_keys", .array(of: schema, max: FluxbaseContext.maximumList)),
        .required("api_keys", .array(of: schema, max: FluxbaseContext.maximumList)),
        .required("total", .integer(0...Int64.max)),
    ])
}

/// The outcome of a request, for clients that read nothing else.
enum FluxbaseOutcome {
    /// The members.
    static let fields: [Field] = [.required("success", .boolean), .required("message", .string(max: 255))]

    /// The schema of an answer with only the outcome.
    static let schema = Schema.object(fields)

    /// Returns an answer with the members of `object`, `success` and a message.
    static func response(_ message: String, _ object: JSONObject = JSONObject()) -> EndpointResponse {
        var object = object
        object["success"] = true
        object["message"] = .string(message)
        return .json(JSONValue.object(object))
    }
}
