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
    /// Old are records of requests older than 24 hours, the usage of deleted secrets, clients' addresses without a use in 30 days, counts older
    /// than 400 days, and old events. It works on one database after the other. One that cannot be reached does not stop the rest.
    ///
    /// - Parameter eventDays: The days for which events are kept, at least 90. `nil` keeps all events.
    /// - Returns: The number of deleted and rolled-up rows.
    /// - Throws: The control database's errors, `CancellationError`.
    public func expire(eventDays: Int?) async throws -> Int {
        var count = try await context.databases.control.pool.withConnection { try await Self.expire($0, eventDays) }
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
                do {
                    count += try await context.databases.withConnection(workspace.facts) {
                        try await notices.tidyOutbox(of: workspace.facts, over: $0)
                        return try await Self.expire($0, eventDays)
                    }
                } catch {
                    context.logger.debug(
                        "the old rows of a workspace could not be deleted",
                        metadata: ["workspace_id": .string(UUIDv7.text(of: workspace.id)), "error": "\(error)"]
                    )
                }
            }
            guard let next = page.next else { return count }
            position = .after(next)
        }
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

    /// Deletes old rows in batches, so no statement holds many locks for long.
    private static func expire(_ connection: PostgresConnection, _ eventDays: Int?) async throws -> Int {
        var count = try await repeating { try await IdempotencyStore.deleteExpired(on: connection) }
        count += try await UsageStore(connection).prune()
        guard let eventDays else { return count }
        return try await count + repeating { try await EventStore(connection).deleteOld(olderThanDays: eventDays) }
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
