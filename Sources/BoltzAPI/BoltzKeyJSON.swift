import Endpoints
import JSON
import KeyStore
import Keys
import Tenancy

/// The JSON of a key in Boltz's dialect: exactly eleven members, null or not.
struct BoltzKeyJSON: BoltzListed {
    let key: KeyRecord
    /// The key's workspace.
    ///
    /// `nil` for an admin key.
    let workspace: Workspace?
    let isActive: Bool

    /// Creates the JSON of a key.
    ///
    /// A key is active if it can be used: a deprecated key is, a key of an archived or suspended workspace is not.
    init(_ key: KeyRecord, of workspace: Workspace?) {
        self.key = key
        self.workspace = workspace
        isActive = key.status.isUsable && (workspace.map { $0.state == .active } ?? true)
    }

    var boltzID: String { BoltzIdentifier.key(key.id, at: workspace?.ref ?? .root) }

    var place: PageCursor { PageCursor(createdAt: key.createdAt, id: key.id) }

    static let schema = Schema.object([
        .required("id", BoltzSchema.identifier),
        .required("allowed_ips", .array(of: .string(max: 64), max: 1000)),
        .required("created_at", BoltzSchema.time),
        .required("expires_at", BoltzSchema.time.orNull),
        .required("is_active", .boolean),
        .required("key_prefix", .string(max: 12)),
        .required("key_type", .oneOf("admin", "workspace")),
        .required("last_used_at", BoltzSchema.time.orNull),
        .required("livemode", .boolean),
        .required("name", BoltzSchema.name),
        .required("workspace_id", BoltzSchema.identifier.orNull),
    ])

    func write(to writer: inout JSONWriter) {
        writer.object {
            $0.member("id", boltzID)
            $0.member("allowed_ips", key.allowedAddresses)
            $0.member("created_at", key.createdAt.boltz)
            $0.member("expires_at", key.expiresAt?.boltz)
            $0.member("is_active", isActive)
            $0.member("key_prefix", String(key.prefix.prefix(12)))
            $0.member("key_type", workspace == nil ? "admin" : "workspace")
            $0.member("last_used_at", key.lastUsedAt?.boltz)
            $0.member("livemode", key.mode == .live)
            $0.member("name", key.name)
            $0.member("workspace_id", workspace.map { BoltzIdentifier.workspace($0.id) })
        }
    }
}
