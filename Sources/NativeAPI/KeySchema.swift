import Endpoints
import JSON
import Keys
import Service
import Surfaces

/// The schemas of request bodies about keys.
enum KeySchema {
    /// The schema of a rate limit, in verifications.
    static let rateLimit = Schema.integer(1...Int64(Int32.max))

    /// The schema of a scope in the native grammar.
    static let scope = Schema.string(
        TextFormat(
            pattern: #"^(\*|[A-Za-z0-9_.\-]{1,64}:(\*|[A-Za-z0-9_.\-]{1,64}))$"#,
            detail: """
                must be "*", "verb:resource" or "verb:*", with 1 to 64 letters, digits, "_", "." or "-" on each side
                """,
            maximumLength: 129
        ) { (try? Scope(validating: $0)) != nil }
    )

    /// The schema of a list of scopes.
    static let scopes = Schema.array(of: scope, max: ScopeSet.maximumCount)

    /// The schema of a namespace: the name of a part of the tenant's application.
    static let namespace = Schema.string(min: 1, max: 255)

    /// The schema of a subject, the owner of a client key.
    static let subject = Schema.string(min: 1, max: 255)
        .described("The owner of the key, in the application's own terms. Immutable.")

    /// The schema of a grace period, in seconds.
    static let gracePeriod = Schema.integer(Int64(GracePeriod.range.lowerBound)...Int64(GracePeriod.range.upperBound))
        .described(
            "The time in which the replaced secret or the deprecated key still works, in seconds: 0 to 2592000. Defaults to 86400."
        )

    /// Returns the schema of the body that creates a key.
    static func create(_ family: KeyFamily) -> Schema {
        var fields: [Field] = [.required("name", NativeSchema.name)]
        if family == .service {
            fields.append(.optional("type", .oneOf("service", "anon").described("Immutable. Defaults to `service`.")))
        }
        if family == .client { fields.append(.required("subject", subject)) }
        fields.append(
            .optional(
                "mode",
                .oneOf(KeyMode.allCases.map(\.rawValue))
                    .described("Immutable. Defaults to `live`, and to `test` for a caller in test mode.")
            )
        )
        fields.append(contentsOf: settings(family) { schema, text, absent, _ in schema.described("\(text) \(absent)") })
        return .object(fields).named("\(family.schemaName)Create")
    }

    /// Returns the schema of the body that changes a key.
    ///
    /// `null` clears every setting, also one that a key always has. The name alone cannot be cleared.
    static func patch(_ family: KeyFamily) -> Schema {
        let fields = settings(family) { schema, text, _, null in schema.orNull.described("\(text) \(null)") }
        return .object([.optional("name", NativeSchema.name)] + fields).named("\(family.schemaName)Patch")
    }

    /// A function that returns the schema of a setting that is null in no key.
    ///
    /// `absent` is the sentence about a new key without the member, and `null` the one about a change by null.
    private typealias Describe = (_ schema: Schema, _ text: String, _ absent: String, _ null: String) -> Schema

    private static func settings(_ family: KeyFamily, _ setting: Describe) -> [Field] {
        var fields: [Field] = [
            .optional("description", NativeSchema.text.orNull),
            .optional(
                "scopes",
                setting(
                    scopes,
                    "The scopes of the key, in the application's own terms.",
                    "Defaults to none.",
                    "Null removes all."
                )
            ),
            .optional(
                "allowed_namespaces",
                .array(of: namespace, max: 100).orNull
                    .described("Null allows all namespaces. An empty list allows only the default namespace.")
            ),
            .optional(
                "allowed_ips",
                DomainSchema.addresses.orNull
                    .described("Addresses or CIDR ranges. An empty list allows all, and so does null.")
            ),
            .optional("rate_limit_per_minute", rateLimit.orNull.described("Null means unlimited.")),
            .optional("rate_limit_per_hour", rateLimit.orNull.described("Null means unlimited.")),
            // The use case compares with the database's clock.
            .optional("expires_at", NativeSchema.time.orNull.described("Must be in the future. Null means never.")),
            .optional(
                "metadata",
                setting(
                    .anyObject(maximumBytes: 16_384),
                    "The owner's own data. At most 16 KiB.",
                    "Defaults to an empty object.",
                    "Null stands for an empty object."
                )
            ),
        ]
        if let permissions = family.permissions {
            let schema = Schema.array(of: .oneOf(permissions.names), max: Permission.allCases.count)
            let described = setting(
                schema,
                family.permissionsDescription,
                family.permissionsDefault,
                "Null removes all."
            )
            fields.append(.optional("permissions", described))
        }
        return fields
    }

    /// The schema of the body that deprecates a key.
    static let deprecate =
        Schema.object([
            .optional("reason", NativeSchema.text.orNull), .optional("grace_period_seconds", gracePeriod),
        ])
        .named("Deprecation")

    /// The schema of the body that rotates a key.
    static let rotate = Schema.object([.optional("grace_period_seconds", gracePeriod)]).named("Rotation")

    /// The schema of the body that revokes a key.
    static let revoke = Schema.object([.optional("reason", NativeSchema.text.orNull)]).named("Revocation")

    /// The schema of the ids of several keys.
    private static let ids = Schema.array(of: NativeSchema.id, count: 1...KeyService.largestBatch)
        .checked { value in
            let ids = value.array?.map(\.string) ?? []
            return Set(ids).count == ids.count ? nil : "must not repeat an id"
        }
        .described("The keys, each named once.")

    /// The schema of the body that revokes several keys.
    static let batchRevoke = Schema.object([.required("ids", ids), .optional("reason", NativeSchema.text.orNull)])
        .named("BatchRevocation")

    /// The schema of the body that disables several keys.
    static let batchDisable = Schema.object([.required("ids", ids)]).named("BatchDisabling")

    /// The schema of the answer about several keys.
    static let batchAnswer =
        Schema.object([
            .required("data", .array(of: KeyJSON.schema, count: 1...KeyService.largestBatch))
        ])
        .named("KeyBatch")

    /// The schema of an answer that contains a token.
    static let issued =
        Schema.object([
            .required("key", KeyJSON.schema),
            .required("token", .string(max: 255).described("The full token. No other answer contains it.")),
        ])
        .named("IssuedKey")
}
