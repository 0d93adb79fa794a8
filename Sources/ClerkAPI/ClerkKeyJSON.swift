import Endpoints
import FoundationEssentials
import JSON
import KeyStore
import Keys

/// The JSON of a key for Clerk's clients: sixteen members, or seventeen with the secret.
///
/// Times are milliseconds since 1970.
struct ClerkKeyJSON: JSONWritable {
    let key: KeyRecord
    let secret: String?

    /// Creates the JSON of a key.
    init(_ key: KeyRecord, secret: String? = nil) {
        self.key = key
        self.secret = secret
    }

    /// True also for a revoked key whose time is over.
    private var isExpired: Bool { key.status == .expired || key.expiresAt.map { $0 <= key.readAt } ?? false }

    static let schema =
        Schema.object(
            members + [
                .optional(
                    "secret",
                    .string(max: 255).described("The full token. Only the answer to the creation contains it.")
                )
            ]
        )
        .named("ClerkAPIKey")

    static let members: [Field] = [
        .required("object", .oneOf("api_key")),
        .required("id", .string(min: 35, max: 35)),
        .required("type", .string(max: 64)),
        .required("subject", .string(max: 255)),
        .required("name", .string(max: 255)),
        .required("description", .string(max: 2000).orNull),
        .required("claims", .anyJSON(maximumBytes: 65_536).orNull),
        .required("scopes", .array(of: .string(max: 255), max: 1000)),
        .required("revoked", .boolean),
        .required("revocation_reason", .string(max: 2000).orNull),
        .required("expired", .boolean),
        .required("expiration", time.orNull),
        .required("created_by", .string(max: 255).orNull),
        .required("last_used_at", time.orNull),
        .required("created_at", time),
        .required("updated_at", time),
    ]

    private static let time = Schema.integer(0...253_402_300_799_999)

    /// The schema of a page of a list.
    static let listSchema =
        Schema.object([
            .required("data", .array(of: .object(members).named("ClerkListedAPIKey"), max: 100)),
            .required("total_count", .integer(0...Int64.max)),
        ])
        .named("ClerkAPIKeyList")

    func write(to writer: inout JSONWriter) {
        writer.object {
            $0.member("object", "api_key")
            $0.member("id", ClerkKeyID.text(of: key.id))
            $0.member("type", key.type ?? ClerkSchema.defaultType)
            $0.member("subject", key.subject ?? "")
            $0.member("name", key.name)
            $0.member("description", key.description)
            $0.key("claims")
            if let claims = key.claims { $0.value(rawJSON: claims.utf8) } else { $0.null() }
            $0.member("scopes", key.scopes)
            if let secret { $0.member("secret", secret) }
            $0.member("revoked", key.revokedAt != nil)
            $0.member("revocation_reason", key.revocationReason)
            $0.member("expired", isExpired)
            $0.member("expiration", key.expiresAt?.milliseconds)
            $0.member("created_by", Self.user(key.createdBy))
            $0.member("last_used_at", key.lastUsedAt?.milliseconds)
            $0.member("created_at", key.createdAt.milliseconds)
            $0.member("updated_at", key.updatedAt.milliseconds)
        }
    }

    /// Returns the application's user who created the key.
    ///
    /// `nil` for Mortise's own actors, which mean nothing to the application.
    private static func user(_ createdBy: String) -> String? { ClerkSubject.user(createdBy)?.text }
}

extension Timestamp {
    /// The instant in milliseconds since 1970.
    fileprivate var milliseconds: Int64 {
        let (whole, rest) = microsecondsSinceUnixEpoch.quotientAndRemainder(dividingBy: 1000)
        return rest < 0 ? whole - 1 : whole
    }
}
