import Logging
import Migrations
import Postgres

extension ControlDatabase {
    private static let databases = Statement(
        """
        SELECT database FROM control.workspaces WHERE cluster_id = $1 AND state NOT IN ('creating', 'deleting') ORDER BY database
        """,
        prepared: false
    )

    /// Grants the runtime role its privileges again in the databases of workspaces that were restored without their roles.
    ///
    /// A cluster or a database that cannot be used is logged, and does not stop the others.
    ///
    /// - Parameters:
    ///   - control: A connection to the control database.
    ///   - unreachable: The names of clusters that are left out, because they could not be used a moment ago.
    /// - Throws: The control database's errors.
    func repairPrivileges(_ control: PostgresConnection, except unreachable: Set<String>) async throws {
        for (cluster, names) in try await workspaceDatabases(control) where !unreachable.contains(cluster.name) {
            await repairPrivileges(of: names, on: cluster)
        }
    }

    /// Returns the databases of workspaces that everybody can connect to, or that the runtime role cannot use, as after a restore without
    /// privileges.
    ///
    /// A start of the server repairs them. Databases on a cluster that cannot be reached are left out.
    ///
    /// - Throws: The control database's errors.
    public func databasesWithoutPrivileges() async throws -> [String] {
        let groups = try await withOwner(primary, database: nil) { try await workspaceDatabases($0) }
        var found: [String] = []
        for (cluster, names) in groups {
            let lost = try? await withOwner(cluster, database: nil) { connection in
                try await Server(installation: installation, connection: connection).databasesWithoutPrivileges(names)
            }
            found += lost ?? []
        }
        return found.sorted()
    }

    /// Returns the databases of workspaces by cluster, without clusters that have none.
    private func workspaceDatabases(
        _ control: PostgresConnection
    ) async throws -> [(cluster: Cluster, names: [String])] {
        let store = ControlStore(control)
        var position = PagePosition.first
        var found: [(cluster: Cluster, names: [String])] = []
        while true {
            let page = try await store.clusters(PageRequest(limit: 100, position))
            for cluster in page.items {
                let rows = try await control.query(Self.databases, [cluster.id])
                let names = try rows.map { try $0.decode(0, as: String.self) }
                if !names.isEmpty { found.append((cluster: cluster, names: names)) }
            }
            guard let next = page.next else { return found }
            position = .after(next)
        }
    }

    private func repairPrivileges(of names: [String], on cluster: Cluster) async {
        do {
            try await withOwner(cluster, database: nil) { connection in
                let server = Server(installation: installation, connection: connection)
                for name in try await server.databasesWithoutPrivileges(names) {
                    await repairPrivileges(of: name, on: cluster, server)
                }
            }
        } catch {
            logger.warning(
                "the privileges of a cluster's databases cannot be examined",
                metadata: ["cluster": "\(cluster.name)", "error": "\(error)"]
            )
        }
    }

    private func repairPrivileges(of name: String, on cluster: Cluster, _ server: Server) async {
        do {
            try await withOwner(cluster, database: name) { database in
                try await database.script(try await installation.workspacePrivileges(in: database))
            }
            try await server.close(database: name)
            try await server.open(database: name)
            logger.notice(
                "the privileges of the runtime role were missing, as after a restore without roles, and were granted again",
                metadata: ["database": "\(name)"]
            )
        } catch {
            // The other databases are not worse for it.
            logger.warning(
                "the privileges of the runtime role are missing, and cannot be granted again",
                metadata: ["database": "\(name)", "cluster": "\(cluster.name)", "error": "\(error)"]
            )
        }
    }
}
