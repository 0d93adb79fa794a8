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
    func repairPrivileges(_ control: PostgresConnection) async throws {
        let store = ControlStore(control)
        var position = PagePosition.first
        while true {
            let page = try await store.clusters(PageRequest(limit: 100, position))
            for cluster in page.items {
                let rows = try await control.query(Self.databases, [cluster.id])
                let names = try rows.map { try $0.decode(0, as: String.self) }
                if !names.isEmpty { await repairPrivileges(of: names, on: cluster) }
            }
            guard let next = page.next else { return }
            position = .after(next)
        }
    }

    private func repairPrivileges(of names: [String], on cluster: Cluster) async {
        do {
            try await withOwner(cluster, database: nil) { connection in
                let server = Server(installation: installation, connection: connection)
                for name in try await server.databasesWithoutPrivileges(names) {
                    try await repairPrivileges(of: name, on: cluster, server)
                }
            }
        } catch {
            logger.warning(
                "the privileges of a cluster's databases cannot be examined",
                metadata: ["cluster": "\(cluster.name)", "error": "\(error)"]
            )
        }
    }

    private func repairPrivileges(of name: String, on cluster: Cluster, _ server: Server) async throws {
        try await withOwner(cluster, database: name) { database in
            try await database.script(try installation.workspacePrivileges())
        }
        try await server.close(database: name)
        try await server.open(database: name)
        logger.notice(
            "the privileges of the runtime role were missing, as after a restore without roles, and were granted again",
            metadata: ["database": "\(name)"]
        )
    }
}
