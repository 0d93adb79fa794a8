import KeyStore
import Logging
import People
import Postgres
import Tenancy

/// What has to be done from time to time, by any node, at any moment.
public struct Upkeep: Sendable {
    let platform: Platform

    init(_ platform: Platform) { self.platform = platform }

    /// Finishes what was left half done with a workspace by a node that died, or by a database that was away.
    ///
    /// What others are doing at the moment is left to them: nothing may have happened to the workspace for so long.
    public func repair(atRestFor rest: Duration) async throws {
        _ = try await platform.provisioner.settleAll(atRestFor: rest)
    }

    /// Forgets what is old: what requests of more than 24 hours ago left for their twins, the use of keys that are gone, and counts of
    /// more than 400 days ago; in the control database and in every workspace's.
    ///
    /// One database after the other; one that cannot be reached does not stop the rest.
    /// - Returns: how many rows were forgotten.
    public func expire() async throws -> Int {
        var count = try await platform.databases.control.pool.withConnection { try await Self.expire($0) }
        var position = PagePosition.first
        while true {
            let page = try await platform.databases.control.pool.withConnection { [position] connection in
                try await platform.controlStore(connection)
                    .workspaces(
                        PageRequest(limit: 100, position),
                        WorkspaceFilter(states: [.active, .suspended, .archived])
                    )
            }
            for workspace in page.items {
                try Task.checkCancellation()
                do {
                    count += try await platform.databases.withPool(workspace.facts) { pool in
                        try await pool.withConnection { try await Self.expire($0) }
                    }
                } catch {
                    platform.logger.debug(
                        "old requests could not be forgotten",
                        metadata: ["workspace_id": "\(workspace.id)", "error": "\(error)"]
                    )
                }
            }
            guard let next = page.next else { return count }
            position = .after(next)
        }
    }

    /// Forgets sessions that have been over for a week, with their refresh tokens.
    ///
    /// - Returns: how many were forgotten.
    public func forgetSessions() async throws -> Int {
        var count = 0
        while true {
            let batch = try await platform.databases.control.pool.withConnection { connection in
                try await platform.peopleStore(connection).forgetSessions()
            }
            count += batch
            if batch == 0 { return count }
        }
    }

    /// Batches, so that no statement holds many locks for long.
    private static func expire(_ connection: PostgresConnection) async throws -> Int {
        var count = 0
        while true {
            let batch = try await IdempotencyStore(connection).expire() + UsageStore(connection).prune()
            count += batch
            if batch == 0 { return count }
        }
    }
}
