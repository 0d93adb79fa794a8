/// The numbers of objects that one owner can have, so that no tenant uses up what all tenants share.
///
/// A deleted object does not count. A revoked key counts until it is deleted, because its row and its events stay.
public struct Quotas: Sendable, Hashable {
    /// The maximum number of keys of a workspace: its service keys and its client keys together.
    ///
    /// Default 1,000,000.
    public var keysPerWorkspace = 1_000_000
    /// The maximum number of client keys of one subject.
    ///
    /// Default 1,000.
    public var keysPerSubject = 1_000
    /// The maximum number of admin keys of an organization.
    ///
    /// Default 1,000.
    public var adminKeysPerOrganization = 1_000
    /// The maximum number of workspaces of an organization, archived ones included.
    ///
    /// Default 1,000.
    public var workspacesPerOrganization = 1_000
    /// The maximum number of webhooks of an organization.
    ///
    /// Default 50. Each event is written for each of them.
    public var webhooksPerOrganization = 50
    /// The maximum number of deliveries of an organization that wait for an attempt, which its enabled webhooks share equally.
    ///
    /// Default 1,000,000. The events beyond it are listed among the deliveries, and are not sent until somebody repeats them.
    public var waitingDeliveriesPerOrganization = 1_000_000
    /// The maximum number of bytes of the keys or events in one list or file, or of the tenants in one list, without what the dialect adds.
    ///
    /// Default 8 MiB. A list with more is refused, because its answer is made in the memory that all tenants share.
    public var listBytes = 8_388_608
    /// The maximum number of rows of a file of keys or events.
    ///
    /// Default 10,000. A file that ends before its list says so in a last row.
    public var fileRows = 10_000

    /// Creates quotas with the default values.
    public init() {}
}
