/// The bounds of a provisioner.
public struct ProvisionerOptions: Sendable {
    /// How many connections to the control database it may have, and so how many workspaces it works on at once.
    ///
    /// Default 4.
    public var maximumConnections: Int
    /// The longest wait for one of these connections, which includes opening one.
    ///
    /// Default 5 s.
    public var leaseDeadline: Duration
    /// How long to wait for another change of the same workspace.
    ///
    /// Default 10 s.
    public var lockPatience: Duration
    /// How long creating or dropping a database may take.
    ///
    /// Default 60 s.
    public var databaseDeadline: Duration
    /// How long to wait for another program that makes the template database.
    ///
    /// Default 120 s.
    public var templatePatience: Duration

    /// Sets the bounds.
    public init(
        maximumConnections: Int = 4,
        leaseDeadline: Duration = .seconds(5),
        lockPatience: Duration = .seconds(10),
        databaseDeadline: Duration = .seconds(60),
        templatePatience: Duration = .seconds(120)
    ) {
        self.maximumConnections = max(1, maximumConnections)
        self.leaseDeadline = leaseDeadline
        self.lockPatience = lockPatience
        self.databaseDeadline = databaseDeadline
        self.templatePatience = templatePatience
    }
}
