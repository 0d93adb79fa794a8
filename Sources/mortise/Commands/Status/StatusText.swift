package import MortiseClient
import Surfaces

/// The state of an installation as lines for operators.
package struct StatusText {
    private let status: Mortise.Status

    /// Creates the lines of a state.
    package init(_ status: Mortise.Status) {
        self.status = status
    }

    /// The lines: a table for each kind of object.
    package var lines: [String] {
        let parts = [
            Self.table(
                ["NODE", "VERSION", "STARTED (UTC)", "KEYS IN MEMORY", "SIZE"],
                status.nodes.map {
                    [
                        $0.id, $0.version, DisplayText.second($0.startedAt), "\(status.memory.keys)",
                        SizeText.text(bytes: status.memory.bytes),
                    ]
                }
            ),
            Self.table(
                ["CONTROL DATABASE", "OPEN", "IDLE", "WAITING"],
                status.controlPools.map { [$0.purpose, "\($0.open)", "\($0.idle)", "\($0.waiting)"] }
            ),
            Self.table(
                [
                    "CLUSTER", "POSTGRESQL", "CONNECTIONS", "LOOK-UPS", "WAITING", "CHANGES", "WAITING", "WORKSPACES",
                    "ADDRESS",
                ],
                status.clusters.map(Self.cells)
            ),
            Self.table(
                ["FENCES OF", "OPEN", "OLDEST"],
                status.clusters.compactMap { cluster in
                    cluster.fences.map { [cluster.name, "\($0)", "\(cluster.oldestFenceMilliseconds ?? 0) ms"] }
                }
            ),
            Self.table(
                ["LEASE", "OF", "RENEWED", "NODE", "STATE"],
                status.clusters.flatMap { cluster in
                    cluster.leases.map {
                        [
                            $0.id, cluster.name, "\($0.ageMilliseconds) ms ago", Self.node($0),
                            $0.isSilent ? "silent: the next change waits for it" : "good",
                        ]
                    }
                }
            ),
            Self.table(
                ["STANDBY", "OF", "STATE", "MODE", "BEHIND", "REPLAY LAG"],
                status.clusters.flatMap { cluster in
                    cluster.standbys.map {
                        [
                            $0.name, cluster.name, $0.state, $0.synchronization, SizeText.text(bytes: $0.lagBytes),
                            "\($0.lagMilliseconds) ms",
                        ]
                    }
                }
            ),
        ]
        return Array(parts.filter { !$0.isEmpty }.joined(separator: [""]))
    }

    /// Returns the name of the node that has a lease.
    private static func node(_ lease: Mortise.Status.Lease) -> String {
        let name = lease.isOwn ? "this node" : "another"
        guard let host = lease.host, let process = lease.processID else { return name }
        return "\(name): \(host), process \(process)"
    }

    private static func cells(_ cluster: Mortise.Status.Cluster) -> [String] {
        let limit = cluster.lookups.limit.map { " of \($0)" } ?? ""
        let connections = cluster.connections.map { used in
            "\(used)" + (cluster.maximumConnections.map { " of \($0)" } ?? "")
        }
        return [
            cluster.name, cluster.isReachable ? DisplayText.optional(cluster.version) : "unreachable",
            DisplayText.optional(connections), "\(cluster.lookups.open)\(limit)", "\(cluster.lookups.waiting)",
            "\(cluster.changes.open)", "\(cluster.changes.waiting)", "\(cluster.workspaces)",
            DisplayText.optional(cluster.address),
        ]
    }

    /// Returns the lines of a table, none without rows.
    private static func table(_ headings: [String], _ rows: [[String]]) -> [String] {
        guard !rows.isEmpty else { return [] }
        let table = Table(headings.map { Column($0) }, rows: rows, width: nil)
        return [table.header] + rows.map(table.line)
    }
}
