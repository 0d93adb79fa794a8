import Endpoints
import JSON
import Keys
import Service
import Surfaces

/// What bodies must be like.
///
/// As in Fluxbase, `null` is the same as nothing, and members that nobody knows are not looked at.
enum FluxbaseSchema {
    /// An instant.
    static let time = Schema.string(.dateTime)

    /// An id: a UUID.
    static let id = Schema.string(.uuid)

    /// A name, which must not be empty.
    static let name = Schema.string(max: 255).checked { $0.string == "" ? Fault.isRequired : nil }

    /// A text of some sentences.
    static let text = Schema.string(max: 2000).orNull

    /// What a key may do, in whatever words.
    static let scopes = Schema.array(of: .string(min: 1, max: 255), max: ScopeSet.maximumCount)

    /// A number of verifications.
    static let limit = Schema.integer(1...Int64(Int32.max))

    private static let namespaces = Schema.array(of: .string(min: 1, max: 255), max: 100).orNull

    private static func object(_ fields: [Field]) -> Schema { .object(fields, unknown: .ignored) }

    // MARK: Client keys

    /// A client key to be made; no limit, or one of 0, is 100 a minute.
    static let clientKeyCreate = object([
        .required("name", name), .optional("description", text),
        .required("scopes", atLeastOne),
        .optional("rate_limit_per_minute", Schema.integer(0...Int64(Int32.max)).orNull),
        .optional("allowed_namespaces", namespaces), .optional("expires_at", time.orNull),
    ])

    /// A change of a client key.
    static let clientKeyUpdate = object([
        .optional("name", name.orNull), .optional("description", text), .optional("scopes", atLeastOne.orNull),
        .optional("rate_limit_per_minute", limit.orNull), .optional("allowed_namespaces", namespaces),
        .optional("expires_at", time.orNull),
    ])

    private static let atLeastOne = scopes.checked {
        $0.array?.isEmpty == true ? "must have at least one element" : nil
    }

    // MARK: Service keys

    /// A service key to be made.
    static let serviceKeyCreate = object(
        [
            .required("name", name),
            .optional(
                "key_type",
                Schema.string(max: 255)
                    .checked { value in
                        ["anon", "service", ""].contains(value.string) ? nil : "must be 'anon' or 'service'"
                    }
                    .orNull
            ),
        ] + serviceKeySettings
    )

    /// A change of a service key.
    static let serviceKeyUpdate = object(
        [.optional("name", name.orNull), .optional("enabled", Schema.boolean.orNull)] + serviceKeySettings
    )

    private static let serviceKeySettings: [Field] = [
        .optional("description", text), .optional("scopes", scopes.orNull), .optional("allowed_namespaces", namespaces),
        .optional("rate_limit_per_minute", limit.orNull), .optional("rate_limit_per_hour", limit.orNull),
        .optional("expires_at", time.orNull),
    ]

    /// Why a key is revoked.
    static let revoke = object([.optional("reason", text)])

    /// Why and how soon a key ends.
    static let deprecate = object([.optional("reason", text)] + grace)

    /// What the key that takes another's place is to be like.
    static let rotate = object(
        [
            .optional("new_key_name", name.orNull), .optional("new_scopes", scopes.orNull),
        ] + grace
    )

    private static let grace: [Field] = [
        .optional(
            "grace_period_hours",
            Schema.anyJSON(maximumBytes: 64)
                .checked { FluxbaseGrace.hours($0) == nil ? "must be a number of hours" : nil }
                .orNull
        ),
        .optional(
            "grace_period",
            Schema.string(max: 64)
                .checked { FluxbaseGrace.length($0.string ?? "") == nil ? FluxbaseGrace.detail : nil }
                .orNull
        ),
    ]

    // MARK: Tenants

    /// A tenant to be made.
    static let tenantCreate = object([
        .required("name", name), .required("slug", DomainSchema.slug), .optional("metadata", metadata),
    ])

    /// A change of a tenant.
    static let tenantUpdate = object([.optional("name", name.orNull), .optional("metadata", metadata)])

    private static let metadata = Schema.anyObject(maximumBytes: 16_384).orNull

    /// Who is to be an admin of a tenant.
    static let tenantAdmin = object([.required("user_id", id)])

    // MARK: Sessions

    /// An address and a password.
    static let signIn = object([.required("email", credential(254)), .required("password", credential(1024))])

    /// A refresh token.
    static let refresh = object([.required("refresh_token", credential(1024))])

    /// The first admin.
    static let setup = object([
        .required("email", Schema.string(.email)),
        .required("password", .string(min: NewPassword.length.lowerBound, max: NewPassword.length.upperBound)),
        .required("name", name), .required("setup_token", credential(1024)),
    ])

    /// A text that must not be empty, of which nothing else is said: whether it is right is not told by its form.
    private static func credential(_ maximum: Int) -> Schema {
        .string(max: maximum).checked { $0.string == "" ? Fault.isRequired : nil }
    }
}
