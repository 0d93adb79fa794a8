import Connections
import CoreMetrics
import Notices
import Postgres
import Service
import Telemetry
import Tenancy
import Verification

/// The figures of the server as a whole, read for each scrape.
///
/// Endpoints count requests, and the verification endpoints count verdicts.
final class ServerMetrics: Sendable {
    private let platform: Platform
    private let connections: OpenConnections
    private let standbys: StandbyFigures
    private let factory: PrometheusRegistry
    private let clients: Meter
    private let controlLookups: Meter
    private let uncounted: RunningTotal
    private let lookUps: RunningTotal
    private let flushes: RunningTotal
    private let reads: RunningTotal
    private let refusedDeliveries: RunningTotal

    /// Adds the figures to a registry.
    static func add(
        to registry: PrometheusRegistry,
        _ platform: Platform,
        _ connections: OpenConnections,
        _ standbys: StandbyFigures,
        version: String
    ) {
        registry.describe(help)
        Meter(label: "mortise_build_info", dimensions: [("version", version)], factory: registry).set(1)
        let metrics = ServerMetrics(platform, connections, standbys, registry)
        registry.beforeExposition { metrics.update() }
        let process = ProcessMetrics(registry)
        registry.beforeExposition { process.update() }
    }

    private init(
        _ platform: Platform,
        _ connections: OpenConnections,
        _ standbys: StandbyFigures,
        _ factory: PrometheusRegistry
    ) {
        self.platform = platform
        self.connections = connections
        self.standbys = standbys
        self.factory = factory
        clients = Meter(label: "mortise_http_connections", factory: factory)
        controlLookups = Meter(label: "mortise_control_lookups_connected", factory: factory)
        uncounted = RunningTotal("mortise_usage_uncounted_total", factory)
        lookUps = RunningTotal("mortise_control_lookups_total", factory)
        flushes = RunningTotal("mortise_control_lookup_flushes_total", factory)
        reads = RunningTotal("mortise_key_reads_total", factory)
        refusedDeliveries = RunningTotal("mortise_webhook_deliveries_refused_total", factory)
    }

    private func update() {
        let databases = platform.databases
        clients.set(Int64(connections.count))
        controlLookups.set(Int64(databases.control.lookups.isAnswering ? 1 : 0))
        uncounted.set(Double(platform.usage.overflowCount))
        let statistics = databases.lookupStatistics
        lookUps.set(Double(statistics.lookUps))
        flushes.set(Double(statistics.flushes))
        let memory = platform.verifier.keys
        reads.set(Double(memory.readCount))
        set("mortise_keys_in_memory", [], memory.size.keys)
        set("mortise_keys_in_memory_bytes", [], memory.size.bytes)
        let webhooks = platform.notices.figures
        refusedDeliveries.set(Double(webhooks.refusedDeliveries))
        set("mortise_webhook_attempts", [("webhook", "quick")], webhooks.quickAttempts)
        set("mortise_webhook_attempts", [("webhook", "slow")], webhooks.slowAttempts)
        set("mortise_webhook_connections_idle", [], webhooks.keptConnections)
        set("mortise_leaks_waiting", [], platform.leakRetries.waitingCount)
        let fencing = databases.fencing.figures
        set("mortise_leases", [("state", "good")], fencing.good)
        set("mortise_leases", [("state", "lost")], fencing.lost)
        set("mortise_fences_open", [], fencing.fences)
        let oldest: Double = fencing.oldestFence / Duration.seconds(1)
        Meter(label: "mortise_fence_oldest_seconds", factory: factory).set(oldest)
        for (cluster, figures) in standbys.all {
            let labels = [("cluster", cluster)]
            set("mortise_standbys", labels, figures.count)
            set("mortise_standby_lag_bytes", labels, figures.lagBytes)
            Meter(label: "mortise_standby_lag_seconds", dimensions: labels, factory: factory)
                .set(Double(figures.lagMilliseconds) / 1000)
        }
        for (purpose, figures) in databases.controlPools {
            set("mortise_control_pool_connections", [("pool", purpose)], figures)
        }
        // The sums over clusters. `mortise status` shows each cluster by its name.
        let clusters = databases.clusterConnections
        set("mortise_clusters_in_use", [], clusters.count)
        set("mortise_lookup_connections", [("state", "open")], clusters.reduce(0) { $0 + $1.lookups })
        set("mortise_lookup_connections", [("state", "waiting")], clusters.reduce(0) { $0 + $1.waitingLookups })
        set("mortise_lookup_connections_limit", [], clusters.reduce(0) { $0 + $1.lookupLimit })
        set("mortise_workspace_pools", [], clusters.reduce(0) { $0 + $1.managedWorkspaces })
        var managed = PoolFigures()
        for cluster in clusters { managed.add(cluster.managed) }
        set("mortise_workspace_pool_connections", [], managed)
    }

    private func set(_ label: String, _ dimensions: [(String, String)], _ figures: PoolFigures) {
        set(label, dimensions + [("state", "open")], figures.open)
        set(label, dimensions + [("state", "idle")], figures.idle)
        set(label, dimensions + [("state", "waiting")], figures.waiting)
    }

    private func set(_ label: String, _ dimensions: [(String, String)], _ value: Int) {
        Meter(label: label, dimensions: dimensions, factory: factory).set(Int64(value))
    }

    /// The texts of the `HELP` lines.
    private static let help = [
        "mortise_verifications_total": "Verifications, by the code of the verdict.",
        "mortise_control_pool_connections":
            "Connections to the control database by pool that are open or idle, and callers that wait for one.",
        "mortise_control_lookups_connected":
            "1 if a look-up connection to the control database is open and the server is not silent, else 0.",
        "mortise_control_lookups_total": "Look-ups in the control database.",
        "mortise_control_lookup_flushes_total":
            "Writes to the look-up connection, each of which sends one look-up or more.",
        "mortise_key_reads_total": "Reads of keys that memory could not answer, of verifications and of callers.",
        "mortise_keys_in_memory": "Keys in memory.",
        "mortise_keys_in_memory_bytes": "The estimated size of the keys in memory.",
        "mortise_leases":
            "Leases of this node that are good, and that are lost: without one, verifications in that cluster are answered with 503.",
        "mortise_fences_open": "Fences around changes that this node has raised and not lifted.",
        "mortise_fence_oldest_seconds": "The time since this node raised the oldest of these fences; 0 without one.",
        "mortise_standbys":
            "Standbys that follow a PostgreSQL server, by cluster; 0 if the server does not answer or does not show them.",
        "mortise_standby_lag_bytes":
            "WAL bytes that the slowest standby has not replayed, by cluster.",
        "mortise_standby_lag_seconds": "The longest time that a standby needs to replay a change, by cluster.",
        "mortise_clusters_in_use": "PostgreSQL servers with workspaces that this node has used.",
        "mortise_lookup_connections":
            "Look-up connections to workspaces that are open, and callers that wait for one.",
        "mortise_lookup_connections_limit": "The maximum number of look-up connections to workspaces at this moment.",
        "mortise_workspace_pools": "Workspaces with connections for changes and lists.",
        "mortise_workspace_pool_connections":
            "Connections to workspaces for changes and lists that are open or idle, and callers that wait for one.",
        "mortise_usage_uncounted_total":
            "Verifications that were not counted, because too many counts waited to be written.",
        "mortise_webhook_attempts":
            "Attempts of webhooks that are under way, at webhooks that answer and at those that fail or are slow.",
        "mortise_webhook_connections_idle": "Connections to receivers of webhooks that wait for their next request.",
        "mortise_webhook_deliveries_refused_total":
            "Deliveries that were listed and not sent, because too many deliveries to their webhook waited.",
        "mortise_leaks_waiting":
            "Reported leaked tokens, over all nodes, whose keys still wait for the reaction. Nodes try again until it succeeds.",
        "mortise_http_connections": "Open connections of clients.",
        "mortise_build_info": "Always 1, with the version of the running program as a label.",
    ]
}
