public import FoundationEssentials
import Migrations
import Postgres

/// Makes, changes and removes workspaces: their rows and their databases.
///
/// The control database's row says where a workspace is going before anything is done about it, and each step can be taken twice, so
/// whatever a crash leaves is finished by `settle`. A lock for each workspace, in the control database, keeps two nodes from
/// working on the same one.
///
/// A change of state goes: the wish (control row and event, committed), the workspace's own row with the same event, the control row. The
/// middle step is the one that counts: every lookup of a key joins that row. A method returns after the last, and until
/// then the wish stands in the control row, where `repairAll` finds it.
public final class Provisioner: Sendable {
    let control: ControlDatabase
    let options: ProvisionerOptions
    let pool: PostgresPool
    let templates: TemplateDatabases
    /// Called after each step; tests throw in it what a crash would be.
    let onStep: @Sendable (ProvisioningStep) throws -> Void

    /// Prepares to work; nothing is connected to yet.
    public convenience init(_ control: ControlDatabase, options: ProvisionerOptions = ProvisionerOptions()) {
        self.init(control, options: options, onStep: { _ in })
    }

    package init(
        _ control: ControlDatabase,
        options: ProvisionerOptions,
        onStep: @escaping @Sendable (ProvisioningStep) throws -> Void
    ) {
        self.control = control
        self.options = options
        self.onStep = onStep
        templates = TemplateDatabases(control, options: options, onStep: onStep)
        pool = PostgresPool(
            ControlDatabase.limited(control.owner, statements: options.databaseDeadline),
            options: PostgresPoolOptions(
                maximumConnections: options.maximumConnections,
                leaseDeadline: options.leaseDeadline
            ),
            reactor: control.reactor,
            logger: control.logger
        )
    }

    /// Closes the connections.
    ///
    /// What is under way then fails, and is finished by the next start.
    public func shutdown() async {
        await pool.shutdown()
    }

    /// Makes a workspace and its database; for tests, since a use case makes the row in a transaction of its own.
    ///
    /// - Returns: the workspace, active: its database exists and is migrated.
    /// - Throws: what `ControlStore.createWorkspace` and `settle` throw. After the former there is nothing; after the latter there is a
    ///   row, which `settle` or the next start completes.
    package func create(_ new: NewWorkspace, by attribution: Attribution) async throws -> Workspace {
        try await pool.withConnection { connection in
            let made = try await control.store(on: connection).createWorkspace(new, by: attribution)
            try onStep(.recorded)
            guard let workspace = try await settle(made.id, on: connection) else {
                throw TenancyError.unknownWorkspace
            }
            return workspace
        }
    }

    /// Finishes whatever was begun with a workspace: its creation, its deletion, or a change of state.
    ///
    /// - Returns: the workspace, or `nil` when there is none (any more).
    /// - Throws: `busy`; `PostgresError` when a server or the database cannot be reached.
    @discardableResult
    public func settle(_ id: UUID) async throws -> Workspace? {
        try await pool.withConnection { try await settle(id, on: $0) }
    }

    func settle(_ id: UUID, on connection: PostgresConnection) async throws -> Workspace? {
        try await withLock(id, on: connection) {
            guard let plan = try await SettlementPlan.read(id, on: connection) else { return nil }
            return try await carryOut(plan, on: connection)
        }
    }

    /// Takes the step that the row asks for, under the workspace's lock.
    func carryOut(_ plan: SettlementPlan, on connection: PostgresConnection) async throws -> Workspace? {
        // Whoever could write a row must not choose which database the owner makes, changes or drops.
        guard plan.workspace.database == control.installation.workspaceDatabase(plan.workspace.ref) else {
            throw TenancyError(.incompatible, "the workspace's row names a database that is not its own")
        }
        guard let cluster = try await control.store(on: connection).cluster(plan.workspace.clusterID) else {
            throw TenancyError.unknownCluster
        }
        switch plan.step {
        case .none: return plan.workspace
        case .create: return try await completeCreation(plan, cluster: cluster, on: connection)
        case .change(let state):
            return try await completeChange(plan, to: state, cluster: cluster, on: connection)
        case .drop:
            try await completeDeletion(plan, cluster: cluster, on: connection)
            return nil
        }
    }

    /// Holds a workspace's lock.
    ///
    /// The connection's session holds it, so one connection does the whole work.
    func withLock<T>(_ id: UUID, on connection: PostgresConnection, _ body: () async throws -> T) async throws -> T {
        do {
            return try await AdvisoryLock("workspace \(id)")
                .withLock(on: connection, patience: options.lockPatience, body)
        } catch let taken as AdvisoryLock.Taken where taken.lock == "workspace \(id)" {
            throw TenancyError(.busy, "another change of this workspace is under way")
        }
    }
}
