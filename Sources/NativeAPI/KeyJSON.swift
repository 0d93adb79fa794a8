import Endpoints
import FoundationEssentials
import JSON
import KeyStore
import Keys

/// The JSON of a key in the native API.
///
/// It contains no token and no digest.
struct KeyJSON: JSONWritable {
    let key: KeyRecord
    let workspaceID: UUID?

    /// Creates the JSON of a key.
    ///
    /// `workspaceID` is `nil` for admin and operator keys.
    init(_ key: KeyRecord, workspaceID: UUID?) {
        self.key = key
        self.workspaceID = workspaceID
    }

    private static let address = Schema.string(max: 64).orNull
        .described("The last known address of a client that used it.")

    static let secretSchema =
        Schema.object([
            .required("prefix", .string(max: 16).described("The first characters of the token.")),
            .required("created_at", NativeSchema.time),
            .required(
                "ends_at",
                NativeSchema.time.orNull.described("The end of the grace period, if the secret was replaced.")
            ),
            .required("last_used_at", NativeSchema.time.orNull),
            .required("last_used_address", address),
        ])
        .named("Secret")

    static let schema =
        Schema.object([
            .required("id", NativeSchema.id),
            .required("workspace_id", NativeSchema.id.orNull.described("Null for admin and operator keys.")),
            .required("name", NativeSchema.name),
            .required("description", NativeSchema.text.orNull),
            .required("type", .oneOf("service", "anon", "client", "admin", "operator")),
            .required("subject", .string(max: 255).orNull.described("The owner of a client key. Null for other keys.")),
            .required("mode", .oneOf(KeyMode.allCases.map(\.rawValue))),
            .required("prefix", .string(max: 16).described("The first 16 characters of the newest token.")),
            .required("status", .oneOf(KeyStatus.allCases.map(\.rawValue))),
            .required(
                "scopes",
                .array(of: .string(max: 255), max: 1000)
                    .described("The scopes of the key, in the application's own terms.")
            ),
            .required(
                "permissions",
                .array(of: .oneOf(Permission.allCases.map(\.rawValue)), max: 16)
                    .described("The key's permissions in this API.")
            ),
            .required("allowed_namespaces", .array(of: .string(max: 255), max: 1000).orNull),
            .required("allowed_ips", .array(of: .string(max: 64), max: 1000)),
            .required("rate_limit_per_minute", KeySchema.rateLimit.orNull),
            .required("rate_limit_per_hour", KeySchema.rateLimit.orNull),
            .required("expires_at", NativeSchema.time.orNull),
            .required("metadata", .anyObject(maximumBytes: 65_536)),
            .required("created_by", .string(max: 255)),
            .required("created_at", NativeSchema.time),
            .required("updated_at", NativeSchema.time),
            .required("last_used_at", NativeSchema.time.orNull),
            .required("last_used_address", address),
            .required("deprecated_at", NativeSchema.time.orNull),
            .required("deprecation_reason", NativeSchema.text.orNull),
            .required("grace_period_ends_at", NativeSchema.time.orNull),
            .required("revoked_at", NativeSchema.time.orNull),
            .required("revoked_by", .string(max: 255).orNull),
            .required("revocation_reason", NativeSchema.text.orNull),
            .required("replaced_by", NativeSchema.id.orNull),
            .required(
                "secrets",
                .array(of: secretSchema, max: 2)
                    .described("The key's secrets: one, or two during the grace period of a rotation.")
            ),
        ])
        .named("Key")

    func write(to writer: inout JSONWriter) {
        writer.object {
            $0.member("id", UUIDv7.text(of: key.id))
            $0.member("workspace_id", workspaceID.map(UUIDv7.text(of:)))
            $0.member("name", key.name)
            $0.member("description", key.description)
            $0.member("type", key.kind.rawValue)
            $0.member("subject", key.subject)
            $0.member("mode", key.mode.rawValue)
            $0.member("prefix", key.prefix)
            $0.member("status", key.status.rawValue)
            $0.member("scopes", key.scopes)
            $0.member("permissions", key.permissions)
            $0.key("allowed_namespaces")
            if let namespaces = key.allowedNamespaces { $0.array(namespaces) } else { $0.null() }
            $0.member("allowed_ips", key.allowedAddresses)
            $0.member("rate_limit_per_minute", key.rateLimitPerMinute)
            $0.member("rate_limit_per_hour", key.rateLimitPerHour)
            $0.member("expires_at", key.expiresAt?.rfc3339)
            $0.key("metadata")
            $0.value(rawJSON: key.metadata.utf8)
            writeHistory(to: &$0)
            $0.member("secrets", key.secrets.prefix(2).map(SecretJSON.init(secret:)))
        }
    }

    private func writeHistory(to writer: inout JSONWriter) {
        writer.member("created_by", key.createdBy)
        writer.member("created_at", key.createdAt.rfc3339)
        writer.member("updated_at", key.updatedAt.rfc3339)
        writer.member("last_used_at", key.lastUsedAt?.rfc3339)
        writer.member("last_used_address", key.lastUsedAddress?.description)
        writer.member("deprecated_at", key.deprecatedAt?.rfc3339)
        writer.member("deprecation_reason", key.deprecationReason)
        writer.member("grace_period_ends_at", key.gracePeriodEndsAt?.rfc3339)
        writer.member("revoked_at", key.revokedAt?.rfc3339)
        writer.member("revoked_by", key.revokedBy)
        writer.member("revocation_reason", key.revocationReason)
        writer.member("replaced_by", key.replacedBy.map(UUIDv7.text(of:)))
    }
}

/// The JSON of a secret in the native API.
private struct SecretJSON: JSONWritable {
    let secret: SecretRecord

    func write(to writer: inout JSONWriter) {
        writer.object {
            $0.member("prefix", secret.prefix)
            $0.member("created_at", secret.createdAt.rfc3339)
            $0.member("ends_at", secret.endsAt?.rfc3339)
            $0.member("last_used_at", secret.lastUse?.at.rfc3339)
            $0.member("last_used_address", secret.lastUse?.address?.description)
        }
    }
}
