/// The bounds of what one node opens.
///
/// On each cluster at most `maximumLookupDatabases` times the number of reactors and
/// `maximumManagedDatabases * connectionsPerManagedDatabase` connections, and on the primary one `controlConnections` and one set of
/// lookup connections more, whatever the number of workspaces.
public struct DatabasesOptions: Sendable {
    /// How many workspaces of a cluster are looked up in at once.
    ///
    /// Default 32.
    public var maximumLookupDatabases: Int
    /// How many workspaces of a cluster are managed at once.
    ///
    /// Default 8.
    public var maximumManagedDatabases: Int
    /// How many connections each of those has.
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
        connectionsPerManagedDatabase: Int = 2,
        controlConnections: Int = 4,
        lookupDeadline: Duration = .seconds(2),
        managementDeadline: Duration = .seconds(10)
    ) {
        self.maximumLookupDatabases = max(1, maximumLookupDatabases)
        self.maximumManagedDatabases = max(1, maximumManagedDatabases)
        self.connectionsPerManagedDatabase = max(1, connectionsPerManagedDatabase)
        self.controlConnections = max(1, controlConnections)
        self.lookupDeadline = lookupDeadline
        self.managementDeadline = managementDeadline
    }
}
