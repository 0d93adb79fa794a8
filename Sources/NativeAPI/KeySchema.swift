import Endpoints
import JSON
import Keys
import Surfaces

/// What the bodies of requests about keys must be like.
enum KeySchema {
    /// A number of verifications.
    static let rateLimit = Schema.integer(1...Int64(Int32.max))

    /// A scope in the native grammar.
    static let scope = Schema.string(
        TextFormat(
            pattern: #"^(\*|[A-Za-z0-9_.\-]{1,64}:(\*|[A-Za-z0-9_.\-]{1,64}))$"#,
            detail: """
                must be "*", "verb:resource" or "verb:*", with 1 to 64 letters, digits, "_", "." or "-" on each side
                """,
            maximumLength: 129
        ) { (try? Scope(validating: $0)) != nil }
    )

    /// What a key may do, or what is asked of it.
    static let scopes = Schema.array(of: scope, max: ScopeSet.maximumCount)

    /// A name of a part of the tenant's application.
    static let namespace = Schema.string(min: 1, max: 255)

    /// Whom a client key belongs to.
    static let subject = Schema.string(min: 1, max: 255)
        .described("Whom it belongs to, by the application's own name for them; fixed.")

    /// A length of time in which what is replaced still works.
    static let gracePeriod = Schema.integer(Int64(GracePeriod.range.lowerBound)...Int64(GracePeriod.range.upperBound))
        .described("Seconds in which what is replaced still works: 0 to 2592000, by default 86400.")

    private static func future(_ now: @escaping @Sendable () -> Timestamp) -> @Sendable (JSONValue) -> String? {
        { value in
            guard let text = value.string, let instant = Timestamp(rfc3339: text), instant > now() else {
                return "must be in the future"
            }
            return nil
        }
    }

    /// The members that a key is made with.
    static func create(_ family: KeyFamily, now: @escaping @Sendable () -> Timestamp) -> Schema {
        var fields: [Field] = [.required("name", NativeSchema.name)]
        if family == .service {
            fields.append(.optional("type", .oneOf("service", "anon").described("Fixed; `service` by default.")))
        }
        if family == .client { fields.append(.required("subject", subject)) }
        fields.append(
            .optional("mode", .oneOf(KeyMode.allCases.map(\.rawValue)).described("Fixed; `live` by default."))
        )
        // By the time it is sent again, with its Idempotency-Key, a key that was made may have ended.
        fields.append(contentsOf: settings(family, end: NativeSchema.time.checkedByUseCase(future(now))))
        return .object(fields).named("\(family.schemaName)Create")
    }

    /// The members that a key may be given later.
    static func patch(_ family: KeyFamily, now: @escaping @Sendable () -> Timestamp) -> Schema {
        let fields = settings(family, end: NativeSchema.time.checked(future(now)))
        return .object([.optional("name", NativeSchema.name)] + fields).named("\(family.schemaName)Patch")
    }

    private static func settings(_ family: KeyFamily, end: Schema) -> [Field] {
        var fields: [Field] = [
            .optional("description", NativeSchema.text.orNull),
            .optional("scopes", scopes.described("What it may do, in the application's words; nothing by default.")),
            .optional(
                "allowed_namespaces",
                .array(of: namespace, max: 100).orNull
                    .described("Null is all; an empty list is the default namespace alone.")
            ),
            .optional(
                "allowed_ips",
                DomainSchema.addresses.orNull.described("Addresses or CIDR ranges; none means all.")
            ),
            .optional("rate_limit_per_minute", rateLimit.orNull.described("Null is unlimited.")),
            .optional("rate_limit_per_hour", rateLimit.orNull.described("Null is unlimited.")),
            .optional("expires_at", end.orNull.described("In the future; null is never.")),
            .optional("metadata", .anyObject(maximumBytes: 16_384).described("The owner's own data, at most 16 KiB.")),
        ]
        if let permissions = family.permissions {
            let schema = Schema.array(of: .oneOf(permissions.names), max: Permission.allCases.count)
            fields.append(.optional("permissions", schema.described(family.permissionsDescription)))
        }
        return fields
    }

    /// The body of a deprecation.
    static let deprecate =
        Schema.object([
            .optional("reason", NativeSchema.text.orNull), .optional("grace_period_seconds", gracePeriod),
        ])
        .named("Deprecation")

    /// The body of a rotation.
    static let rotate = Schema.object([.optional("grace_period_seconds", gracePeriod)]).named("Rotation")

    /// The body of a revocation.
    static let revoke = Schema.object([.optional("reason", NativeSchema.text.orNull)]).named("Revocation")

    /// The answer with a token in it.
    static let issued =
        Schema.object([
            .required("key", KeyJSON.schema),
            .required("token", .string(max: 255).described("The whole token; it is in no other answer.")),
        ])
        .named("IssuedKey")
}
