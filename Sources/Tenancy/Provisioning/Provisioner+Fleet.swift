public import FoundationEssentials
import Keys
import Locks
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

    private static let settled = Statement(
        """
        SELECT id, state, updated_at::text FROM control.workspaces
        WHERE state IN ('active', 'suspended', 'archived') AND target_state IS NULL
        """
    )

    /// A state at rest, with the time of the row's last change.
    private struct SettledState: Hashable {
        let state: WorkspaceState
        let changedAt: String
    }

    private func settledStates() async throws -> [UUID: SettledState] {
        var states: [UUID: SettledState] = [:]
        for row in try await pool.query(Self.settled) {
            let id: UUID = try row.decode(0)
            let name: String = try row.decode(1)
            guard let state = WorkspaceState(rawValue: name) else { continue }
            states[id] = SettledState(state: state, changedAt: try row.decode(2))
        }
        return states
    }

    /// Examines every workspace's database, and changes nothing: plans its migration, and compares its state with the control database's.
    ///
    /// - Returns: The outcome for each database, and the workspaces whose two states differ. One whose row changes meanwhile is none of them.
    /// - Throws: The errors of ``migrateFleet(_:canary:observe:)``, and the control database's.
    public func examineFleet() async throws -> (report: FleetReport, differences: [StateDifference]) {
        let own = OwnStates()
        let before = try await settledStates()
        let fleet = FleetMigration(try control.workspaceMigrator(), options: FleetOptions(isDryRun: true))
        let targets = WorkspaceFleet(control: control, pool: pool, first: nil, states: own)
        let report = await fleet.run(targets, observe: { _ in })
        let after = try await settledStates()
        let differences = own.found.compactMap { id, state -> StateDifference? in
            guard let decided = before[id], after[id] == decided, decided.state != state else { return nil }
            return StateDifference(workspaceID: id, decided: decided.state, own: state)
        }
        return (report, differences)
    }
}

/// A workspace whose own database has another state than the control database, as after a restoration by hand.
public struct StateDifference: Sendable, Hashable {
    /// The workspace's id.
    public let workspaceID: UUID
    /// The state in the control database, by which people decide.
    public let decided: WorkspaceState
    /// The state in the workspace's own database, by which look-ups decide.
    public let own: WorkspaceState
}

/// The states that the workspaces' own databases have.
final class OwnStates: Sendable {
    private static let state = Statement("SELECT state FROM auth.workspace", prepared: false)

    private let states = Locked<[UUID: WorkspaceState]>([:])

    /// The states that could be read, by workspace.
    var found: [UUID: WorkspaceState] { states.withLock { $0 } }

    /// Reads the state of a workspace's database; the examination of its schema reports a database that cannot be read.
    func read(_ id: UUID, over connection: PostgresConnection) async {
        guard let text = try? await connection.query(Self.state).first?.decode(0, as: String.self),
            let state = WorkspaceState(rawValue: text)
        else { return }
        states.withLock { $0[id] = state }
    }
}

/// The workspaces that have a database, oldest first, read a page at a time.
struct WorkspaceFleet: AsyncSequence, Sendable {
    typealias Element = FleetTarget

    let control: ControlDatabase
    let pool: PostgresPool
    /// The workspace that comes before the others, and does not come again.
    let first: Workspace?
    /// Reads the state of each database, if somebody wants to know it.
    var states: OwnStates?

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
            let start = last ?? UUIDv7.beforeAll
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
            return FleetTarget(id: UUIDv7.text(of: item.id), name: item.slug) { [states = fleet.states] in
                let connection = try await control.connectAsOwner(cluster, database: database)
                await states?.read(item.id, over: connection)
                return connection
            }
        }
    }
}
