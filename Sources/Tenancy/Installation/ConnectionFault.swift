/// A fault of a connection string: something behind it only looks like one PostgreSQL server.
///
/// Leases and fences (decision 0014) rest on sessions and on one history of changes, so no server runs with such a fault.
public enum ConnectionFault: Error, Sendable, Hashable {
    /// Two sessions do not exclude each other by an advisory lock, or a session moves between server processes.
    case sharedSessions
    /// A session that listens gets no notification.
    case noNotifications
    /// Several hosts accept changes, and they are not the same server.
    case severalPrimaries([String])
    /// A standby among the hosts follows another server than the primary among them.
    case foreignStandbys([String])

    /// A sentence without its end that names the fault.
    public var message: String {
        switch self {
        case .sharedSessions:
            "advisory locks do not lock: the sessions of PostgreSQL are shared, as by a pooler in transaction mode"
        case .noNotifications: "LISTEN receives no notifications"
        case .severalPrimaries(let hosts):
            "\(hosts.joined(separator: " and ")) are different servers, and each accepts changes"
        case .foreignStandbys(let hosts): "\(hosts.joined(separator: " and ")) are not servers of the same cluster"
        }
    }

    /// A sentence that says what to do.
    public var remedy: String {
        switch self {
        case .sharedSessions, .noNotifications:
            "Connect to PostgreSQL directly, or through a pooler in session mode."
        case .severalPrimaries:
            "Name one primary with its standbys. After a failover, stop the old primary: changes that it accepted are lost."
        case .foreignStandbys: "Name the servers of one cluster only."
        }
    }
}
