import KeyStore
import Logging
import Postgres
import Tenancy

/// What has to be done from time to time, by any node, at any moment.
public struct Upkeep: Sendable {
    let platform: Platform

    init(_ platform: Platform) { self.platform = platform }

    /// Forgets what requests of more than 24 hours ago left for their twins: in the control database and in every workspace's.
    ///
    /// One database after the other; one that cannot be reached does not stop the rest.
    /// - Returns: how many were forgotten.
    public func expireIdempotency() async throws -> Int {
        var count = try await self.platform.databases.control.pool.withConnection { try await Self.expire($0) }
        var position = PagePosition.first
        while true {
            let page = try await self.platform.databases.control.pool.withConnection { [position] connection in
                try await self.platform.controlStore(connection)
                    .workspaces(
                        PageRequest(limit: 100, position),
                        WorkspaceFilter(states: [.active, .suspended, .archived])
                    )
            }
            for workspace in page.items {
                try Task.checkCancellation()
                do {
                    count += try await self.platform.databases.withPool(workspace.facts) { pool in
                        try await pool.withConnection { try await Self.expire($0) }
                    }
                } catch {
                    self.platform.logger.debug(
                        "old requests could not be forgotten",
                        metadata: ["workspace_id": "\(workspace.id)", "error": "\(error)"]
                    )
                }
            }
            guard let next = page.next else { return count }
            position = .after(next)
        }
    }

    /// Batches, so that no statement holds many locks for long.
    private static func expire(_ connection: PostgresConnection) async throws -> Int {
        var count = 0
        while true {
            let batch = try await IdempotencyStore(connection).expire()
            count += batch
            if batch == 0 { return count }
        }
    }
}
