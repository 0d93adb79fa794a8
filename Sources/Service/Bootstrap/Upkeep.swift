import FoundationEssentials
import KeyStore
import Keys
import Logging
import Notices
import People
import Postgres
import Tenancy

/// The periodic work of an installation.
///
/// Any node can do it at any moment.
public struct Upkeep: Sendable {
    let context: ServiceDependencies
    let notices: Notices
    let progress = UpkeepProgress()

    /// The number of ranges of rows in which a run looks for the usage of deleted secrets, and for the addresses of deleted keys.
    ///
    /// They are half a million rows. If a table has more, the next run looks at the next ones.
    private static let rangesOfRun = 500

    /// Reconciles workspaces that a crash or an unreachable database left unfinished, stops those again whose restored database says that
    /// they are active, and sets up clusters that could not be used at the start.
    ///
    /// - Parameter idle: The time for which a workspace must not have changed. It leaves alone what other nodes are
    ///   doing.
    /// - Throws: The control database's errors, `CancellationError`.
    public func repair(atRestFor idle: Duration) async throws {
        let databases = context.databases
        try await databases.readStoppedWorkspaces()
        _ = try await context.provisioner.reconcileAll(idleFor: idle, and: databases.takeContradictedWorkspaces())
        // Last, because it waits for a cluster that is still down.
        try await context.provisioner.prepareRemainingClusters()
    }

    /// Deletes old rows in the control database and in every workspace's, and rolls up minutes of usage that are older than two days.
    ///
    /// Old are records of requests older than 24 hours, the usage of deleted secrets, clients' addresses without a use in 30 days, counts
    /// older than 400 days, and old events. It works on one database after the other. A step that fails stops neither the other steps nor
    /// those in other databases. Its second failure in a row is a warning in the log.
    ///
    /// - Parameter eventDays: The days for which events are kept, at least 90. `nil` keeps all events.
    /// - Returns: The number of deleted and rolled-up rows.
    /// - Throws: The control database's errors when it reads the workspaces, `CancellationError`.
    public func expire(eventDays: Int?) async throws -> Int {
        var count = try await expire(nil, eventDays)
        var known: Set<UUID> = [Workspace.rootID]
        var position = PagePosition.first
        while true {
            let page = try await context.readControl { [position] store in
                try await store.workspaces(
                    PageRequest(limit: 100, position),
                    WorkspaceFilter(states: [.active, .suspended, .archived])
                )
            }
            for workspace in page.items {
                try Task.checkCancellation()
                known.insert(workspace.id)
                count += try await expire(workspace.facts, eventDays)
            }
            guard let next = page.next else { break }
            position = .after(next)
        }
        progress.forget(allBut: known)
        return count
    }

    /// A step of the work on old rows.
    enum Step: String, Sendable, CaseIterable {
        // Those that must not wait for others come first.
        case minutes
        case events
        case outbox
        case requests
        case hours
        case addresses
        case usageOfDeletedSecrets = "usage_of_deleted_secrets"
        case addressesOfDeletedKeys = "addresses_of_deleted_keys"
    }

    /// Carries out each step in a database, whether or not others fail.
    ///
    /// - Parameters:
    ///   - workspace: The workspace. `nil` is the control database.
    ///   - eventDays: The days for which events are kept. `nil` keeps all events.
    /// - Returns: The number of deleted and rolled-up rows.
    /// - Throws: `CancellationError`.
    private func expire(_ workspace: WorkspaceFacts?, _ eventDays: Int?) async throws -> Int {
        var count = 0
        for step in Step.allCases {
            var hasBegun = false
            do {
                count += try await withConnection(to: workspace) { connection in
                    hasBegun = true
                    progress.worked(nil, in: workspace)
                    return try await carryOut(step, in: workspace, eventDays, over: connection)
                }
                progress.worked(step, in: workspace)
            } catch {
                try Task.checkCancellation()
                report(error, of: hasBegun ? step : nil, in: workspace)
                // Each step would wait for a connection again.
                if !hasBegun { return count }
            }
        }
        return count
    }

    private func withConnection<T>(
        to workspace: WorkspaceFacts?,
        _ body: (PostgresConnection) async throws -> T
    ) async throws -> T {
        guard let workspace else { return try await context.databases.control.pool.withConnection(body) }
        return try await context.databases.withConnection(workspace, body)
    }

    /// Logs a failure: as a warning if the same step in the same database has failed once before.
    private func report(_ error: any Error, of step: Step?, in workspace: WorkspaceFacts?) {
        let isRepeated = progress.failed(step, in: workspace) == 2
        context.logger.log(
            level: isRepeated ? .warning : .debug,
            workspace == nil
                ? "old rows of the control database could not be deleted"
                : "the old rows of a workspace could not be deleted",
            metadata: [
                "workspace_id": .string(UUIDv7.text(of: workspace?.workspaceID ?? Workspace.rootID)),
                "step": .string(step?.rawValue ?? "connection"), "error": "\(error)",
            ]
        )
    }

    /// Carries out a step in batches, so no statement holds many locks for long.
    ///
    /// - Returns: The number of deleted or rolled-up rows.
    private func carryOut(
        _ step: Step,
        in workspace: WorkspaceFacts?,
        _ eventDays: Int?,
        over connection: PostgresConnection
    ) async throws -> Int {
        let usage = UsageStore(connection)
        switch step {
        case .minutes: return try await usage.rollUpMinutes()
        case .events:
            guard let eventDays else { return 0 }
            return try await Self.repeating { try await EventStore(connection).deleteOld(olderThanDays: eventDays) }
        case .outbox:
            if let workspace { try await notices.tidyOutbox(of: workspace, over: connection) }
            return 0
        case .requests: return try await Self.repeating { try await IdempotencyStore.deleteExpired(on: connection) }
        case .hours: return try await usage.deleteOldHours()
        case .addresses: return try await usage.deleteOldAddresses()
        case .usageOfDeletedSecrets:
            return try await inRanges(of: workspace) { places in
                let (deleted, end) = try await usage.deleteUsageOfDeletedSecrets(after: places.secret)
                places.secret = end
                return (deleted: deleted, isLast: end == nil)
            }
        case .addressesOfDeletedKeys:
            return try await inRanges(of: workspace) { places in
                let (deleted, end) = try await usage.deleteAddressesOfDeletedKeys(after: places.address)
                places.address = end
                return (deleted: deleted, isLast: end == nil)
            }
        }
    }

    /// Deletes in one range of rows after the other, from the end of the last run to the end of the table at most.
    private func inRanges(
        of workspace: WorkspaceFacts?,
        _ delete: (inout UpkeepProgress.Places) async throws -> (deleted: Int, isLast: Bool)
    ) async throws -> Int {
        var count = 0
        for _ in 0..<Self.rangesOfRun {
            var places = progress.places(in: workspace)
            let (deleted, isLast) = try await delete(&places)
            progress.set(places, in: workspace)
            count += deleted
            if isLast { break }
        }
        return count
    }

    /// Deletes sessions that ended more than a week ago, with their refresh tokens, and the marks of what was used once.
    ///
    /// - Returns: The number of deleted sessions.
    public func deleteEndedSessions() async throws -> Int {
        _ = try await Self.repeating { try await context.readPeople { try await $0.deleteSingleUses() } }
        return try await Self.repeating { try await context.readPeople { try await $0.deleteEndedSessions() } }
    }

    /// Deletes users whose last role went with its workspace, with their passwords.
    ///
    /// - Returns: The number of deleted users.
    public func deleteUsersWithoutRoles() async throws -> Int {
        try await Self.repeating { try await context.readPeople { try await $0.deleteUsersWithoutRoles() } }
    }

    /// Runs a deletion until it deletes nothing more, and returns the sum.
    private static func repeating(_ delete: () async throws -> Int) async throws -> Int {
        var count = 0
        while true {
            let batch = try await delete()
            count += batch
            if batch == 0 { return count }
        }
    }
}
