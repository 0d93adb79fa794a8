import Tenancy

/// The values of a cluster in templates.
struct ClusterView {
    let status: ClusterStatus
    /// The connections of this node; `nil` if the node has not used the cluster.
    let connections: ClusterConnections?

    /// The share of the server's connections, in percent, from which the server needs attention.
    private static let fullPercent = 90

    private var name: String { status.cluster.name }

    /// The id of the cluster's row.
    var anchor: String { "cluster-\(name)" }

    /// The position of the cluster in a list: the servers that do not work stand first.
    var rank: Int { status.server == nil ? 0 : isFull || status.server?.isStandby == true ? 1 : 2 }

    private var isFull: Bool {
        guard let server = status.server, server.maximumConnections > 0 else { return false }
        return server.connections * 100 >= server.maximumConnections * Self.fullPercent
    }

    private var isPrimary: Bool { status.cluster.isPrimary }

    /// The values of the cluster's row.
    var row: [String: Any] {
        var values: [String: Any] = [
            "anchor": anchor, "name": name, "isPrimary": isPrimary, "hasAddress": status.address != nil,
            "workspaces": NumberText.grouped(status.workspaces), "isReachable": status.server != nil,
            "isFull": isFull, "waits": waits.map { ["text": $0] },
        ]
        values["address"] = status.address
        values["uses"] = uses
        if let server = status.server {
            values["stateName"] = server.isStandby ? "Standby" : "Reachable"
            values["stateClass"] = server.isStandby ? "disabled" : "active"
            values["detail"] = "PostgreSQL \(server.version)"
            values["connections"] =
                "\(NumberText.grouped(server.connections)) of \(NumberText.grouped(server.maximumConnections))"
            values["standbys"] = standbys
        } else {
            values["stateName"] = "Unreachable"
            values["stateClass"] = "revoked"
            values["detail"] = status.fault?.capitalizedFirst
        }
        return values
    }

    /// The connections of this node, or `nil` if the node has not used the cluster.
    private var uses: String? {
        guard let connections else { return nil }
        let lookups =
            "\(NumberText.grouped(connections.lookups)) of \(NumberText.grouped(connections.lookupLimit))"
        return "\(lookups) for look-ups, \(NumberText.grouped(connections.managed.open)) for changes"
    }

    /// The requests of this node that wait for a connection.
    private var waits: [String] {
        guard let connections else { return [] }
        return [(connections.waitingLookups, "a look-up"), (connections.managed.waiting, "a change")]
            .compactMap { count, purpose in StatusText.waiting(count).map { "\($0) for \(purpose)" } }
    }

    /// The number of standbys and their greatest lag, or `nil` without a standby.
    private var standbys: String? {
        let standbys = status.server?.standbys ?? []
        guard let lag = standbys.map(\.lagMilliseconds).max() else { return nil }
        return "\(NumberText.counted(standbys.count, "standby")), at most \(StatusText.length(milliseconds: lag)) late"
    }

    /// The reasons for which the cluster needs attention, as values of the template `attention`.
    var attention: [[String: Any]] {
        var found: [[String: Any]] = []
        func add(_ kind: String, _ text: String) {
            found.append([
                "name": name, "kind": kind, "text": text, "path": "/console/platform/clusters#\(anchor)",
                "workspace": NumberText.counted(status.workspaces, "workspace"),
            ])
        }
        if let server = status.server {
            if server.isStandby { add("fault", "is a standby and accepts no changes") }
            if isFull { add("ending", "uses \(server.connections) of \(server.maximumConnections) connections") }
        } else {
            add("fault", "does not answer: \(status.fault ?? "the reason is unknown")")
        }
        for text in waits { add("ending", "is slow for this node: \(text)") }
        return found
    }
}
