import Server
import Service

extension Settings {
    private static let counts = 1...100_000_000

    /// The maximum number of keys of a workspace.
    package static let keysPerWorkspace = Setting(
        "keys_per_workspace",
        .integer(counts),
        default: Quotas().keysPerWorkspace,
        placeholder: "count",
        help: "The maximum number of keys of a workspace, service and client keys together, 1 to 100000000."
    )

    /// The maximum number of client keys of a subject.
    package static let keysPerSubject = Setting(
        "keys_per_subject",
        .integer(counts),
        default: Quotas().keysPerSubject,
        placeholder: "count",
        help: "The maximum number of client keys of a subject, 1 to 100000000."
    )

    /// The maximum number of admin keys of an organization.
    package static let adminKeysPerOrganization = Setting(
        "admin_keys_per_organization",
        .integer(counts),
        default: Quotas().adminKeysPerOrganization,
        placeholder: "count",
        help: "The maximum number of admin keys of an organization, 1 to 100000000."
    )

    /// The maximum number of workspaces of an organization.
    package static let workspacesPerOrganization = Setting(
        "workspaces_per_organization",
        .integer(counts),
        default: Quotas().workspacesPerOrganization,
        placeholder: "count",
        help: "The maximum number of workspaces of an organization, archived ones included, 1 to 100000000."
    )

    /// The maximum number of webhooks of an organization.
    package static let webhooksPerOrganization = Setting(
        "webhooks_per_organization",
        .integer(counts),
        default: Quotas().webhooksPerOrganization,
        placeholder: "count",
        help: "The maximum number of webhooks of an organization, 1 to 100000000."
    )

    /// The maximum number of deliveries of an organization that wait for an attempt.
    package static let waitingDeliveriesPerOrganization = Setting(
        "waiting_deliveries_per_organization",
        .integer(counts),
        default: Quotas().waitingDeliveriesPerOrganization,
        placeholder: "count",
        help: "The maximum number of deliveries of an organization's webhooks that wait for an attempt, 1 to 100000000."
    )

    /// The maximum number of bytes of the keys in one list.
    package static let listBytes = Setting(
        "list_bytes",
        .integer(65_536...1_073_741_824),
        default: Quotas().listBytes,
        placeholder: "bytes",
        help: "Refuse a list whose keys have more than this many bytes, 65536 to 1073741824."
    )

    /// The days for which events are kept.
    package static let eventDays = Setting<Int?>(
        "event_days",
        .integer(90...36_500),
        default: nil,
        written: "events are never deleted",
        placeholder: "days",
        help: "Delete events that are older than this many days, 90 to 36500."
    )

    /// The size of the keys in memory.
    package static let cacheBytes = Setting(
        "cache_bytes",
        .integer(0...1_099_511_627_776),
        default: ServerConfiguration.defaultCacheBytes,
        placeholder: "bytes",
        help: "Keep verified keys in memory up to this many bytes; 0 reads the database for every verification."
    )

    /// The settings of quotas and retention, in the order of the documentation.
    static let quotas: [SettingDeclaration] = [
        keysPerWorkspace.declaration, keysPerSubject.declaration, adminKeysPerOrganization.declaration,
        workspacesPerOrganization.declaration, webhooksPerOrganization.declaration,
        waitingDeliveriesPerOrganization.declaration, listBytes.declaration, cacheBytes.declaration,
        eventDays.declaration,
    ]
}

extension Quotas {
    /// Reads the quotas.
    init(_ reader: SettingReader) throws(CommandFailure) {
        self.init()
        keysPerWorkspace = try reader.value(Settings.keysPerWorkspace)
        keysPerSubject = try reader.value(Settings.keysPerSubject)
        adminKeysPerOrganization = try reader.value(Settings.adminKeysPerOrganization)
        workspacesPerOrganization = try reader.value(Settings.workspacesPerOrganization)
        webhooksPerOrganization = try reader.value(Settings.webhooksPerOrganization)
        waitingDeliveriesPerOrganization = try reader.value(Settings.waitingDeliveriesPerOrganization)
        listBytes = try reader.value(Settings.listBytes)
    }
}
