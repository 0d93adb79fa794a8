import Connections
import CoreMetrics
import Postgres
import Service
import Tenancy
import Verification

/// The figures of the server as a whole.
///
/// Endpoints count requests, and the verification endpoints count verdicts.
struct ServerMetrics: Sendable {
    private static let interval = Duration.seconds(5)

    private let open: Meter
    private let idle: Meter
    private let waiting: Meter
    private let lookups: Meter
    private let workspaceLookups: Meter
    private let waitingLookups: Meter
    private let uncounted: Meter
    private let connections: Meter

    init(_ factory: any MetricsFactory, version: String) {
        open = Self.pool("open", factory)
        idle = Self.pool("idle", factory)
        waiting = Self.pool("waiting", factory)
        lookups = Meter(label: "mortise_control_lookups_connected", factory: factory)
        workspaceLookups = Self.lookups("open", factory)
        waitingLookups = Self.lookups("waiting", factory)
        uncounted = Meter(label: "mortise_usage_uncounted", factory: factory)
        connections = Meter(label: "mortise_http_connections", factory: factory)
        Meter(label: "mortise_build_info", dimensions: [("version", version)], factory: factory).set(1)
    }

    private static func pool(_ state: String, _ factory: any MetricsFactory) -> Meter {
        Meter(label: "mortise_control_pool_connections", dimensions: [("state", state)], factory: factory)
    }

    private static func lookups(_ state: String, _ factory: any MetricsFactory) -> Meter {
        Meter(label: "mortise_lookup_connections", dimensions: [("state", state)], factory: factory)
    }

    /// Reads the figures every five seconds, until the task is cancelled.
    func sample(_ platform: Platform, _ open: OpenConnections) async {
        while !Task.isCancelled {
            let pool = platform.databases.control.pool.usage
            connections.set(Int64(open.count))
            self.open.set(Int64(pool.open))
            idle.set(Int64(pool.idle))
            waiting.set(Int64(pool.waiting))
            lookups.set(Int64(platform.databases.control.lookups.isConnected ? 1 : 0))
            let workspaces = platform.databases.lookupConnections
            workspaceLookups.set(Int64(workspaces.open))
            waitingLookups.set(Int64(workspaces.waiting))
            uncounted.set(Int64(platform.usage.overflowCount))
            try? await Task.sleep(for: Self.interval)
        }
    }

    /// The texts of the `HELP` lines.
    static let help = [
        "mortise_verifications_total": "Verifications, by the code of the verdict.",
        "mortise_control_pool_connections":
            "Connections of the control database's pool that are open or idle, and callers that wait for a connection.",
        "mortise_control_lookups_connected": "1 if the look-up connection to the control database is open, else 0.",
        "mortise_lookup_connections":
            "Look-up connections to workspaces that are open, and callers that wait for one.",
        "mortise_usage_uncounted": "Verifications that were not counted, because too many counts waited to be written.",
        "mortise_http_connections": "Open connections of clients.",
        "mortise_build_info": "Always 1, with the version of the running program as a label.",
    ]
}
