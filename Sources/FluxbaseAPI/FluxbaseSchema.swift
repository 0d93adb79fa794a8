import Endpoints
import JSON
import Keys
import Service
import Surfaces

/// The schemas of the dialect's bodies.
///
/// As in Fluxbase, `null` counts as absent, and unknown members are ignored.
enum FluxbaseSchema {
    /// The schema of an instant.
    static let time = Schema.string(.dateTime)

    /// The schema of an id, a UUID.
    static let id = Schema.string(.uuid)

    /// The schema of a name, which must not be empty.
    static let name = Schema.string(max: 255).checked { $0.string == "" ? Fault.isRequired : nil }

    /// The schema of a longer text.
    static let text = Schema.string(max: 2000).orNull

    /// The schema of scopes, which are free texts.
    static let scopes = Schema.array(of: .string(min: 1, max: 255), max: ScopeSet.maximumCount)

    /// The schema of a rate limit, in verifications.
    static let limit = Schema.integer(1...Int64(Int32.max))

    private static let namespaces = Schema.array(of: .string(min: 1, max: 255), max: 100).orNull

    private static func object(_ fields: [Field]) -> Schema { .object(fields, unknown: .ignored) }

    // MARK: Client keys

    /// The schema of the body that creates a client key.
    ///
    /// No limit, or a limit of 0, means 100 a minute.
    static let clientKeyCreate = object([
        .required("name", name), .optional("description", text),
        .required("scopes", atLeastOne),
        .optional("rate_limit_per_minute", Schema.integer(0...Int64(Int32.max)).orNull),
        .optional("allowed_namespaces", namespaces), .optional("expires_at", time.orNull),
    ])

    /// The schema of the body that changes a client key.
    static let clientKeyUpdate = object([
        .optional("name", name.orNull), .optional("description", text), .optional("scopes", atLeastOne.orNull),
        .optional("rate_limit_per_minute", limit.orNull), .optional("allowed_namespaces", namespaces),
        .optional("expires_at", time.orNull),
    ])

    private static let atLeastOne = scopes.checked {
        $0.array?.isEmpty == true ? "must have at least one element" : nil
    }

    // MARK: Service keys

    /// The schema of the body that creates a service key.
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

    /// The schema of the body that changes a service key.
    static let serviceKeyUpdate = object(
        [.optional("name", name.orNull), .optional("enabled", Schema.boolean.orNull)] + serviceKeySettings
    )

    private static let serviceKeySettings: [Field] = [
        .optional("description", text), .optional("scopes", scopes.orNull), .optional("allowed_namespaces", namespaces),
        .optional("rate_limit_per_minute", limit.orNull), .optional("rate_limit_per_hour", limit.orNull),
        .optional("expires_at", time.orNull),
    ]

    /// The schema of the body that revokes a key.
    static let revoke = object([.optional("reason", text)])

    /// The schema of the body that deprecates a key.
    static let deprecate = object([.optional("reason", text)] + grace)

    /// The schema of the body that replaces a key.
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

    /// The schema of the body that creates a tenant.
    static let tenantCreate = object([
        .required("name", name), .required("slug", DomainSchema.slug), .optional("metadata", metadata),
    ])

    /// The schema of the body that changes a tenant.
    static let tenantUpdate = object([.optional("name", name.orNull), .optional("metadata", metadata)])

    private static let metadata = Schema.anyObject(maximumBytes: 16_384).orNull

    /// The schema of the body that adds an admin to a tenant.
    static let tenantAdmin = object([.required("user_id", id)])

    // MARK: Sessions

    /// The schema of the body that signs a user in.
    static let signIn = object([.required("email", credential(254)), .required("password", credential(1024))])

    /// The schema of the body that refreshes a session.
    static let refresh = object([.required("refresh_token", credential(1024))])

    /// The schema of the body that creates the first admin.
    static let setup = object([
        .required("email", Schema.string(.email)),
        .required("password", .string(min: NewPassword.length.lowerBound, max: NewPassword.length.upperBound)),
        .required("name", name), .required("setup_token", credential(1024)),
    ])

    /// Returns the schema of a credential: any text that is not empty.
    ///
    /// Its form must not reveal whether it is right.
    private static func credential(_ maximum: Int) -> Schema {
        .string(max: maximum).checked { $0.string == "" ? Fault.isRequired : nil }
    }
}
