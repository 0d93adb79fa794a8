import Postgres
import Tenancy

/// The work of `mortise cluster`, as the owner of the control database.
struct ClusterRun {
    private let settings: InstallationSettings

    init(_ settings: InstallationSettings) { self.settings = settings }

    /// Adds a cluster.
    ///
    /// - Throws: `CommandFailure`.
    func add(_ name: String, _ conninfo: String) async throws {
        try await change("The cluster was not added", naming: name) { control in
            _ = try await control.addCluster(name: name, conninfo: conninfo)
        }
    }

    /// Changes the connection string of a cluster.
    ///
    /// - Throws: `CommandFailure`.
    func update(_ name: String, _ conninfo: String) async throws {
        try await change("The cluster was not changed", naming: name) { control in
            _ = try await control.updateCluster(name: name, conninfo: conninfo)
        }
    }

    /// Removes a cluster.
    ///
    /// - Throws: `CommandFailure`.
    func remove(_ name: String) async throws {
        try await change("The cluster was not removed", naming: name) { control in
            try await control.removeCluster(name: name)
        }
    }

    private func change(
        _ outcome: String,
        naming name: String,
        _ body: (ControlDatabase) async throws -> Void
    ) async throws {
        try await withControl { control, connection in
            do {
                try await body(control)
            } catch let error as TenancyError where error.code == .unknownCluster {
                let names = try await ControlDatabase.allClusters(connection).map { (name: $0.name, other: "") }
                let near = NearestName.suggestion(for: name, among: names).map { ["Did you mean \($0)?"] } ?? []
                throw CommandFailure(
                    .refused,
                    "\(outcome): there is no cluster \"\(name)\".",
                    details: near + ["`mortise cluster list` lists the clusters."]
                )
            } catch let error as TenancyError where error.code == .wrongState {
                throw CommandFailure(.refused, "\(outcome): \(error.message).")
            } catch let error as TenancyError where error.field != nil {
                throw CommandFailure.usage("\(outcome): \(error.message).")
            } catch let error as PostgresError where error.code == .connectFailed {
                // The control database answered, so the server is that of the cluster.
                throw CommandFailure(
                    .refused,
                    "\(outcome): its PostgreSQL server cannot be reached.",
                    details: [
                        CommandFailure.words(of: error),
                        "Is the connection string right, and does libpq's password file (~/.pgpass) have the password?",
                    ]
                )
            }
        }
    }

    /// Returns all clusters, newest first.
    ///
    /// - Throws: `CommandFailure`.
    func list() async throws -> [Cluster] {
        try await withControl { _, connection in try await ControlDatabase.allClusters(connection) }
    }

    private func withControl<Value>(
        _ body: (ControlDatabase, PostgresConnection) async throws -> Value
    ) async throws -> Value {
        try settings.printWarnings()
        return try await InstallationAccess(settings, label: "mortise.cluster").withConnection(body)
    }
}
