import FoundationEssentials
import Keys
import Service
import Surfaces
import Tenancy

/// The values of the nodes, their leases and their changes in templates.
struct NodeView {
    let node: Node
    let status: PlatformStatus
    let moment: Timestamp

    /// The age of a fence, in milliseconds, from which it needs attention.
    ///
    /// A change waits 2.4 s for a silent node, and then commits.
    private static let oldFence = 5000
    /// The replay lag of a standby, in milliseconds, from which it needs attention.
    private static let longLag = 10_000

    private var keys: String { NumberText.grouped(status.memory.keys) }

    /// The values of the page.
    var values: [String: Any] {
        let (leases, standbys, attention) = (self.leases, self.standbys, self.attention)
        var values: [String: Any] = [
            "nodeID": UUIDv7.text(of: node.id), "nodeVersion": node.version,
            "memory": "\(keys), about \(SizeText.text(bytes: status.memory.bytes))",
            "leases": leases, "hasLeases": !leases.isEmpty, "standbys": standbys, "hasStandbys": !standbys.isEmpty,
            "attention": attention, "hasAttention": !attention.isEmpty,
        ]
        values["nodeStarted"] = TimeView.values(node.startedAt, at: moment)
        values["fences"] = status.clusters.map { fences($0.status) }
        values["pools"] = status.controlPools.map { pool($0.purpose, $0.figures) }
        return values
    }

    // MARK: Leases

    /// The rows of leases: those that are missing or ended stand first, then those of this node.
    ///
    /// The lease that was silent for longest is the first of those that ended.
    private var leases: [[String: Any]] {
        var rows: [(rank: Int, silence: Int, values: [String: Any])] = []
        for (cluster, connections) in status.clusters {
            guard let fencing = cluster.fencing else { continue }
            if lacksLease(cluster, connections) {
                rows.append((rank: 0, silence: 0, values: missing(cluster.cluster.name)))
            }
            for lease in fencing.leases {
                let silence = lease.isSilent ? lease.ageMilliseconds : 0
                rows.append((rank: rank(lease), silence: silence, values: row(lease, cluster.cluster.name)))
            }
        }
        // The order of equals stays: by cluster, and the last renewal first.
        return rows.enumerated()
            .sorted {
                ($0.element.rank, -$0.element.silence, $0.offset) < ($1.element.rank, -$1.element.silence, $1.offset)
            }
            .map { $0.element.values }
    }

    private func missing(_ cluster: String) -> [String: Any] {
        [
            "title": "This node", "stateName": "No lease", "stateClass": "disabled", "cluster": cluster, "isOwn": true,
            "keys": keys,
        ]
    }

    private static func name(_ lease: FencingStatus.Lease) -> String {
        let name = lease.isOwn ? "This node" : "Another node"
        return lease.node.map { "\(name): \($0.host), process \($0.process)" } ?? name
    }

    private func rank(_ lease: FencingStatus.Lease) -> Int { lease.isSilent ? 1 : lease.isOwn ? 2 : 3 }

    private func row(_ lease: FencingStatus.Lease, _ cluster: String) -> [String: Any] {
        [
            "title": Self.name(lease), "leaseID": UUIDv7.text(of: lease.id),
            "stateName": lease.isSilent ? "Silent" : "Good lease",
            "stateClass": lease.isSilent ? "revoked" : "active", "isOwn": lease.isOwn, "keys": keys,
            "heard": StatusText.ago(milliseconds: lease.ageMilliseconds, at: moment), "cluster": cluster,
        ]
    }

    /// Returns true if this node uses a cluster and has no lease there.
    private func lacksLease(_ cluster: ClusterStatus, _ connections: ClusterConnections?) -> Bool {
        guard let fencing = cluster.fencing, connections != nil else { return false }
        return !fencing.leases.contains(where: \.isOwn)
    }

    // MARK: Changes, standbys, connections

    private func fences(_ cluster: ClusterStatus) -> [String: Any] {
        var values: [String: Any] = [
            "cluster": cluster.cluster.name, "anchor": "cluster-\(cluster.cluster.name)",
            "isKnown": cluster.fencing != nil,
        ]
        if let fencing = cluster.fencing {
            values["leases"] = NumberText.grouped(fencing.leases.count)
            values["open"] = NumberText.grouped(fencing.fences)
            values["isOld"] = fencing.oldestFenceMilliseconds >= Self.oldFence
            if fencing.fences > 0 {
                values["oldest"] = StatusText.length(milliseconds: fencing.oldestFenceMilliseconds)
            }
        }
        return values
    }

    private var standbys: [[String: Any]] {
        var rows: [[String: Any]] = []
        for (cluster, _) in status.clusters {
            for standby in cluster.server?.standbys ?? [] {
                rows.append([
                    "title": standby.name.isEmpty ? "Without a name" : standby.name, "cluster": cluster.cluster.name,
                    "state": standby.state, "mode": standby.synchronization,
                    "behind": SizeText.text(bytes: standby.lagBytes), "isLate": Self.isLate(standby),
                    "lag": StatusText.length(milliseconds: standby.lagMilliseconds),
                ])
            }
        }
        return rows
    }

    private static func isLate(_ standby: ServerStatus.Standby) -> Bool { standby.lagMilliseconds >= longLag }

    private func pool(_ purpose: String, _ figures: PoolFigures) -> [String: Any] {
        [
            "purpose": purpose.capitalizedFirst, "open": NumberText.grouped(figures.open),
            "idle": NumberText.grouped(figures.idle), "waiting": NumberText.grouped(figures.waiting),
            "isWaiting": figures.waiting > 0,
        ]
    }

    // MARK: Attention

    /// The reasons for which a node needs attention, as values of the template `attention`.
    private var attention: [[String: Any]] {
        var found: [[String: Any]] = []
        func add(_ kind: String, _ name: String, _ text: String, _ anchor: String, _ place: String) {
            found.append(["kind": kind, "name": name, "text": text, "path": anchor, "workspace": place])
        }
        for (cluster, connections) in status.clusters {
            let name = cluster.cluster.name
            if cluster.server == nil {
                let text = "does not answer: \(cluster.fault ?? "the reason is unknown")"
                add("fault", name, text, "/console/platform/clusters#cluster-\(name)", "Cluster")
            }
            if lacksLease(cluster, connections) {
                add("fault", "This node", "has no lease, and answers nothing from memory", "#leases", name)
            }
            for lease in cluster.fencing?.leases ?? [] where lease.isSilent {
                let length = StatusText.length(milliseconds: lease.ageMilliseconds)
                let text = "was last heard \(length) ago. The next change waits for it"
                add("fault", Self.name(lease), text, "#leases", name)
            }
            if let fencing = cluster.fencing, fencing.oldestFenceMilliseconds >= Self.oldFence {
                let length = StatusText.length(milliseconds: fencing.oldestFenceMilliseconds)
                add("ending", "A change", "is under way for \(length)", "#fences", name)
            }
            for standby in cluster.server?.standbys ?? [] where Self.isLate(standby) {
                let length = StatusText.length(milliseconds: standby.lagMilliseconds)
                add("ending", "A standby", "replays changes \(length) late", "#standbys", name)
            }
        }
        for pool in status.controlPools {
            guard let text = StatusText.waiting(pool.figures.waiting) else { continue }
            let reason = "is slow for this node: \(text) for a connection for \(pool.purpose)"
            add("ending", "Control database", reason, "#pools", "primary")
        }
        return found
    }
}
