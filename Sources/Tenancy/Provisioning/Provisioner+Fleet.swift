public import FoundationEssentials
import Keys
public import Migrations
import Postgres

extension Provisioner {
    /// Migrates every workspace's database, whatever its state, or plans the migration.
    ///
    /// `ControlDatabase.bootstrap` migrates the control database itself. Workspaces that are being created or deleted
    /// are left alone: the former are migrated when they are reconciled.
    ///
    /// - Parameters:
    ///   - options: The concurrency, the canary, and the choice of a dry run.
    ///   - canary: The workspace to begin with; `nil` is the oldest.
    ///   - observe: Called for each step, from several tasks.
    /// - Returns: The outcome for each database, by the workspace's id and slug.
    /// - Throws: `MigrationError` if this program's files cannot be used, `unknownWorkspace` for the canary.
    public func migrateFleet(
        _ options: FleetOptions = FleetOptions(),
        canary: UUID? = nil,
        observe: @escaping @Sendable (FleetEvent) -> Void = { _ in }
    ) async throws -> FleetReport {
        let first: Workspace? =
            if let canary {
                try await pool.withConnection { try await ControlStore($0).workspace(canary) }
            } else {
                nil
            }
        if canary != nil, first == nil { throw TenancyError.unknownWorkspace }
        let fleet = FleetMigration(try control.workspaceMigrator(), options: options)
        return await fleet.run(WorkspaceFleet(control: control, pool: pool, first: first), observe: observe)
    }
}

/// The workspaces that have a database, oldest first, read a page at a time.
struct WorkspaceFleet: AsyncSequence, Sendable {
    typealias Element = FleetTarget

    let control: ControlDatabase
    let pool: PostgresPool
    /// The workspace that comes before the others, and does not come again.
    let first: Workspace?

    private static let page = Statement(
        """
        SELECT w.id, w.slug, w.cluster_id, w.database FROM control.workspaces w
        WHERE w.state NOT IN ('creating', 'deleting') AND w.id > $1 ORDER BY w.id LIMIT 200
        """
    )

    func makeAsyncIterator() -> Iterator {
        Iterator(
            fleet: self,
            next: first.map { [Item(id: $0.id, slug: $0.slug, clusterID: $0.clusterID, database: $0.database)] }
                ?? []
        )
    }

    struct Item: Sendable {
        let id: UUID
        let slug: String
        let clusterID: UUID
        let database: String
    }

    struct Iterator: AsyncIteratorProtocol {
        let fleet: WorkspaceFleet
        var next: [Item]
        var last: UUID?
        var clusters: [UUID: Cluster] = [:]

        init(fleet: WorkspaceFleet, next: [Item]) {
            self.fleet = fleet
            self.next = next
        }

        mutating func next() async throws -> FleetTarget? {
            while true {
                if next.isEmpty, try await !readPage() { return nil }
                let item = next.removeFirst()
                if last != nil, item.id == fleet.first?.id { continue }
                return try await target(item)
            }
        }

        private mutating func readPage() async throws -> Bool {
            let start = last ?? UUID(uuid: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))
            next = try await fleet.pool.query(WorkspaceFleet.page, [start])
                .map {
                    Item(
                        id: try $0.decode(0),
                        slug: try $0.decode(1),
                        clusterID: try $0.decode(2),
                        database: try $0.decode(3)
                    )
                }
            guard let end = next.last else { return false }
            last = end.id
            return true
        }

        private mutating func target(_ item: Item) async throws -> FleetTarget {
            let control = fleet.control
            let cluster: Cluster
            if let known = clusters[item.clusterID] {
                cluster = known
            } else {
                let found = try await fleet.pool.withConnection {
                    try await ControlStore($0).cluster(item.clusterID)
                }
                guard let found else { throw TenancyError.unknownCluster }
                clusters[item.clusterID] = found
                cluster = found
            }
            let database = item.database
            return FleetTarget(id: UUIDv7.text(of: item.id), name: item.slug) {
                try await control.connectAsOwner(cluster, database: database)
            }
        }
    }
}
