/// The limits of a provisioner.
public struct ProvisionerOptions: Sendable {
    /// The maximum number of connections to the control database, and so of workspaces that the provisioner works on at
    /// once.
    ///
    /// Default 4.
    public var maximumConnections: Int
    /// The maximum number of further connections to the control database for suspensions, archivings and the beginnings of deletions.
    ///
    /// Default 2. The share is separate, so neither creating nor dropping a database keeps them waiting.
    public var maximumStops: Int
    /// The maximum time of a suspension, an archiving or the beginning of a deletion, with all of its waits.
    ///
    /// Default 3.2 s.
    public var stopDeadline: Duration
    /// The time after which a change of a state ends Mortise's own sessions that block it.
    ///
    /// Default 0.2 s.
    public var blockerPatience: Duration
    /// The maximum wait for one of these connections, which includes opening one.
    ///
    /// Default 5 s.
    public var leaseDeadline: Duration
    /// The maximum wait for another change of the same workspace.
    ///
    /// Default 10 s.
    public var lockPatience: Duration
    /// The maximum time for creating or dropping a database.
    ///
    /// Default 60 s.
    public var databaseDeadline: Duration
    /// The maximum wait for another program that creates the template database.
    ///
    /// Default 120 s.
    public var templatePatience: Duration
    /// The maximum time for a cluster's answer about its state.
    ///
    /// Default 2 s.
    public var statusPatience: Duration

    /// The time that a fence's statement gets at least, for a provisioner that has its own fences.
    ///
    /// Default 1 s.
    public var fenceDeadline: Duration

    /// Creates options.
    public init(
        maximumConnections: Int = 4,
        maximumStops: Int = 2,
        stopDeadline: Duration = .milliseconds(3200),
        blockerPatience: Duration = .milliseconds(200),
        leaseDeadline: Duration = .seconds(5),
        lockPatience: Duration = .seconds(10),
        databaseDeadline: Duration = .seconds(60),
        templatePatience: Duration = .seconds(120),
        statusPatience: Duration = .seconds(2),
        fenceDeadline: Duration = .seconds(1)
    ) {
        self.maximumConnections = max(1, maximumConnections)
        self.maximumStops = max(1, maximumStops)
        self.stopDeadline = stopDeadline
        self.blockerPatience = blockerPatience
        self.leaseDeadline = leaseDeadline
        self.lockPatience = lockPatience
        self.databaseDeadline = databaseDeadline
        self.templatePatience = templatePatience
        self.statusPatience = statusPatience
        self.fenceDeadline = fenceDeadline
    }
}
