/// The bounds of what one node opens.
///
/// On each cluster at most `maximumLookupDatabases` times the number of reactors,
/// `maximumManagedDatabases * connectionsPerManagedDatabase` and `maximumUsageDatabases` connections, and on the primary one
/// `controlConnections` and one set of lookup connections more, whatever the number of workspaces; see `maximumConnections`.
public struct DatabasesOptions: Sendable {
    /// How many workspaces of a cluster are looked up in at once.
    ///
    /// Default 32.
    public var maximumLookupDatabases: Int
    /// How many workspaces of a cluster are managed at once.
    ///
    /// Default 8.
    public var maximumManagedDatabases: Int
    /// How many workspaces of a cluster have their counts written at once, over one connection each.
    ///
    /// Default 4: a share of its own, so that counting takes no place away from management.
    public var maximumUsageDatabases: Int
    /// How long a call waits for one of these places while all are in use.
    ///
    /// Default 2 s.
    public var placePatience: Duration
    /// The longest wait for a connection of a pool, which includes opening one.
    ///
    /// Default 5 s.
    public var leaseDeadline: Duration
    /// How many connections each managed database has.
    ///
    /// Default 2.
    public var connectionsPerManagedDatabase: Int
    /// How many connections to the control database there are, besides the one for lookups.
    ///
    /// Default 4.
    public var controlConnections: Int
    /// How long a lookup may take.
    ///
    /// Default 2 s.
    public var lookupDeadline: Duration
    /// How long a statement of a management call may take, enforced by the server too.
    ///
    /// Default 10 s.
    public var managementDeadline: Duration

    /// Sets the bounds.
    public init(
        maximumLookupDatabases: Int = 32,
        maximumManagedDatabases: Int = 8,
        maximumUsageDatabases: Int = 4,
        placePatience: Duration = .seconds(2),
        leaseDeadline: Duration = .seconds(5),
        connectionsPerManagedDatabase: Int = 2,
        controlConnections: Int = 4,
        lookupDeadline: Duration = .seconds(2),
        managementDeadline: Duration = .seconds(10)
    ) {
        self.maximumLookupDatabases = max(1, maximumLookupDatabases)
        self.maximumManagedDatabases = max(1, maximumManagedDatabases)
        self.maximumUsageDatabases = max(1, maximumUsageDatabases)
        self.placePatience = placePatience
        self.leaseDeadline = leaseDeadline
        self.connectionsPerManagedDatabase = max(1, connectionsPerManagedDatabase)
        self.controlConnections = max(1, controlConnections)
        self.lookupDeadline = lookupDeadline
        self.managementDeadline = managementDeadline
    }

    /// The most connections that the service has to the primary cluster: as the runtime role, and with a provisioner's as the owner.
    ///
    /// The provisioner's are its own and one more for each, to the workspace that it works on.
    public func maximumConnections(reactors: Int, with provisioner: ProvisionerOptions = ProvisionerOptions()) -> Int {
        (maximumLookupDatabases + 1) * reactors
            + maximumManagedDatabases * connectionsPerManagedDatabase + maximumUsageDatabases
            + controlConnections + 2 * provisioner.maximumConnections
    }
}
