import Endpoints
import JSON
import Keys
import Tenancy

/// The JSON of an organization in the native API.
struct OrganizationJSON: JSONWritable {
    let organization: Organization

    static let expiryNoticeDays = Schema.array(of: .integer(1...365), max: 10)
    static let unusedAfterDays = Schema.integer(0...3650)

    static let schema =
        Schema.object([
            .required("id", NativeSchema.id),
            .required("name", NativeSchema.name),
            .required("slug", .string(min: 1, max: 63).described("The short name in URLs.")),
            .required(
                "token_prefix",
                .string(min: 1, max: 4).orNull
                    .described(
                        "The prefix of the tokens of new service and client keys, instead of Mortise's own prefixes."
                    )
            ),
            .required(
                "expiry_notice_days",
                Self.expiryNoticeDays.orNull
                    .described(
                        "The days before the end of a key at which `key.expiring` comes. Null means 30, 7 and 1."
                    )
            ),
            .required(
                "unused_after_days",
                Self.unusedAfterDays.orNull
                    .described(
                        "The days without a use after which a `key.unused` event is recorded. Null means 90, and 0 never."
                    )
            ),
            .required(
                "leak_action",
                .oneOf(LeakAction.allCases.map(\.rawValue)).orNull
                    .described(
                        """
                        The reaction to a leaked token of a workspace's key, beside the event: `notify` for none, `quarantine` to \
                        allow only the addresses that used the key in the last 30 days, or `revoke`. Null is `notify` for \
                        test keys and publishable keys, and `revoke` for others.
                        """
                    )
            ),
            .required("default_workspace_id", NativeSchema.id.orNull),
            .required("created_at", NativeSchema.time),
            .required("updated_at", NativeSchema.time),
        ])
        .named("Organization")

    private var days: JSONValue {
        guard let days = organization.expiryNoticeDays else { return .null }
        return .array(days.map { JSONValue.integer($0) })
    }

    func write(to writer: inout JSONWriter) {
        writer.object {
            $0.member("id", UUIDv7.text(of: organization.id))
            $0.member("name", organization.name)
            $0.member("slug", organization.slug)
            $0.member("token_prefix", organization.tokenPrefix)
            $0.key("expiry_notice_days")
            $0.value(days)
            $0.member("unused_after_days", organization.unusedAfterDays.map { Int($0) })
            $0.member("leak_action", organization.leakAction?.rawValue)
            $0.member("default_workspace_id", organization.defaultWorkspaceID.map(UUIDv7.text(of:)))
            $0.member("created_at", organization.createdAt.rfc3339)
            $0.member("updated_at", organization.updatedAt.rfc3339)
        }
    }
}
