public import Fence

/// The limits of the connections that one node opens.
///
/// The number of workspaces does not change them. Each cluster has at most `maximumLookupConnections`,
/// `maximumManagedDatabases * connectionsPerManagedDatabase`, `maximumOverviewDatabases` and `maximumStoppedDatabases` connections. The
/// primary cluster also has `controlConnections`, `controlReaders`, `maximumStoppedDatabases`, one connection for counts, and one
/// look-up connection for each reactor. See `maximumConnections`.
public struct DatabasesOptions: Sendable {
    /// The maximum number of look-up connections to a cluster's workspaces.
    ///
    /// A workspace has one. Default `nil`: a third of the connections that the PostgreSQL server allows, at most
    /// `derivedLookupConnections`.
    public var maximumLookupConnections: Int?
    /// The bound of the number of look-up connections that follows from the PostgreSQL server.
    ///
    /// Default 1000.
    public var derivedLookupConnections: Int
    /// The maximum number of look-up connections that an organization opens at once, to each cluster.
    ///
    /// Default 2. Opening one takes as much of the processors, of both sides, as hundreds of look-ups.
    public var maximumLookupOpenings: Int
    /// The time between two look-up connections of an organization for each of which another one is closed.
    ///
    /// Default 150 ms. An organization that uses more workspaces than it can have connections to opens about 7 a second then. As many as
    /// the PostgreSQL server can open would occupy the processors for as long as the organization likes.
    public var lookupReplacementPause: Duration
    /// The number of such connections that an organization opens without a pause after a time without them.
    ///
    /// Default 8. So a short need for a few more connections waits for nothing.
    public var lookupReplacementBurst: Int
    /// The maximum number of a cluster's workspaces that are managed at once.
    ///
    /// Default 8.
    public var maximumManagedDatabases: Int
    /// The maximum wait for one of these slots while all are in use.
    ///
    /// Default 2 s.
    public var placePatience: Duration
    /// The maximum wait for a connection of a pool, which includes opening one.
    ///
    /// Default 5 s.
    public var leaseDeadline: Duration
    /// The maximum number of connections to each managed database.
    ///
    /// Default 2.
    public var connectionsPerManagedDatabase: Int
    /// The maximum number of a cluster's workspaces that have a connection for an overview at once.
    ///
    /// Default 12: the workspaces of a page of the console.
    public var maximumOverviewDatabases: Int
    /// The maximum number of connections to the control database, besides the one for look-ups.
    ///
    /// Default 4.
    public var controlConnections: Int
    /// The maximum number of connections to the control database for reads of management calls.
    ///
    /// Default 2. Changes have other connections, so a change that waits for a lock keeps no reader waiting.
    public var controlReaders: Int
    /// The maximum number of a cluster's workspaces in which keys are stopped at once, over one connection each.
    ///
    /// Default 3. The control database has as many such connections. The share is separate, so no other work keeps a revocation waiting.
    public var maximumStoppedDatabases: Int
    /// The maximum number of changes that stop keys and are under fences at once, on each cluster.
    ///
    /// Default 8. They wait for a silent node together, and only then need one of the connections to their keys.
    public var maximumFencedStops: Int
    /// The maximum time for a change that stops keys, from the authentication of its caller to the answer of COMMIT.
    ///
    /// Default 3.2 s. A change without a request begins with the mark for its webhooks and its fences.
    public var stopDeadline: Duration
    /// The time after which Mortise's own sessions that block such a change are ended.
    ///
    /// Default 0.2 s.
    public var blockerPatience: Duration
    /// The time without an answer after which a session for look-ups counts as frozen, and its look-ups go to a new one.
    ///
    /// Default 0.5 s.
    public var lookupSilence: Duration
    /// The maximum time of a look-up.
    ///
    /// Default 2 s.
    public var lookupDeadline: Duration
    /// The maximum time of a statement of a management call, which the server enforces too.
    ///
    /// Default 10 s.
    public var managementDeadline: Duration
    /// The maximum time of all waits of a request for PostgreSQL together, in its authentication and its work.
    ///
    /// Default 8 s. At its end, a statement that has no answer is cancelled, and the fence of a change that was made is lifted, which takes
    /// at most 3 s more.
    public var requestDeadline: Duration
    /// The same for a request that creates or deletes a database, reads or changes keys in many workspaces, or asks other servers.
    ///
    /// Default 60 s.
    public var longRequestDeadline: Duration

    /// The durations of leases and fences, which all nodes of an installation share.
    public var fenceTimes: FenceTimes
    /// The time that a fence's statement gets even if its change has none left, which includes the wait for a standby.
    ///
    /// Otherwise a statement gets all the time that is left of `stopDeadline`, or `managementDeadline` in a change that stops no key.
    /// Default 1 s.
    public var fenceDeadline: Duration
    /// The maximum time of an exchange of rate limits with the other nodes, which includes the wait for its connection.
    ///
    /// Default 0.5 s.
    public var limitDeadline: Duration

    /// The maximum number of other changes that are under fences at once, on each cluster.
    ///
    /// After the wait of its fences, each finds a connection to its keys. Changes of workspaces' states use the same connections for
    /// fences, and can wait for one.
    var maximumFencedChanges: Int { maximumManagedDatabases * connectionsPerManagedDatabase }

    /// Creates options.
    public init(
        maximumLookupConnections: Int? = nil,
        derivedLookupConnections: Int = 1000,
        maximumLookupOpenings: Int = 2,
        lookupReplacementPause: Duration = .milliseconds(150),
        lookupReplacementBurst: Int = 8,
        maximumManagedDatabases: Int = 8,
        placePatience: Duration = .seconds(2),
        leaseDeadline: Duration = .seconds(5),
        connectionsPerManagedDatabase: Int = 2,
        maximumOverviewDatabases: Int = 12,
        controlConnections: Int = 4,
        controlReaders: Int = 2,
        maximumStoppedDatabases: Int = 3,
        maximumFencedStops: Int = 8,
        stopDeadline: Duration = .milliseconds(3200),
        blockerPatience: Duration = .milliseconds(200),
        lookupSilence: Duration = .milliseconds(500),
        lookupDeadline: Duration = .seconds(2),
        managementDeadline: Duration = .seconds(10),
        requestDeadline: Duration = .seconds(8),
        longRequestDeadline: Duration = .seconds(60),
        fenceTimes: FenceTimes = .standard,
        fenceDeadline: Duration = .seconds(1),
        limitDeadline: Duration = .milliseconds(500)
    ) {
        self.maximumLookupConnections = maximumLookupConnections.map { max(1, $0) }
        self.derivedLookupConnections = max(1, derivedLookupConnections)
        self.maximumLookupOpenings = max(1, maximumLookupOpenings)
        self.lookupReplacementPause = lookupReplacementPause
        self.lookupReplacementBurst = lookupReplacementBurst
        self.maximumManagedDatabases = max(1, maximumManagedDatabases)
        self.placePatience = placePatience
        self.leaseDeadline = leaseDeadline
        self.connectionsPerManagedDatabase = max(1, connectionsPerManagedDatabase)
        self.maximumOverviewDatabases = max(1, maximumOverviewDatabases)
        self.controlConnections = max(1, controlConnections)
        self.controlReaders = max(1, controlReaders)
        self.maximumStoppedDatabases = max(1, maximumStoppedDatabases)
        self.maximumFencedStops = max(1, maximumFencedStops)
        self.stopDeadline = stopDeadline
        self.blockerPatience = blockerPatience
        self.lookupSilence = lookupSilence
        self.lookupDeadline = lookupDeadline
        self.managementDeadline = managementDeadline
        self.requestDeadline = requestDeadline
        self.longRequestDeadline = longRequestDeadline
        self.fenceTimes = fenceTimes
        self.fenceDeadline = fenceDeadline
        self.limitDeadline = limitDeadline
    }

    /// Returns the maximum number of connections to the primary cluster, as the runtime role and, with a provisioner's,
    /// as the owner.
    ///
    /// The lease has one, and each change that is under fences has one. The provisioner has its own connections, and one more for each to
    /// the workspace that it works on.
    ///
    /// - Parameters:
    ///   - reactors: The number of reactors.
    ///   - allowed: The connections that the PostgreSQL server allows, without its reserve.
    ///   - provisioner: The provisioner's limits.
    /// - Returns: The number.
    public func maximumConnections(
        reactors: Int,
        allowed: Int,
        with provisioner: ProvisionerOptions = ProvisionerOptions()
    ) -> Int {
        lookupConnections(allowed: allowed) + reactors
            + maximumManagedDatabases * connectionsPerManagedDatabase + maximumOverviewDatabases
            + controlConnections + controlReaders + 1 + 2 * maximumStoppedDatabases
            + 1 + maximumFencedChanges + maximumFencedStops + ClusterFencing.workspaceStops
            + 2 * (provisioner.maximumConnections + provisioner.maximumStops)
    }

    /// Returns the maximum number of look-up connections to a server that allows a number of connections.
    func lookupConnections(allowed: Int) -> Int {
        maximumLookupConnections ?? min(derivedLookupConnections, LookupLimit.share(of: allowed))
    }
}
