import KeyStore
import Migrations
import Postgres

/// The tokens that one pepper is needed for.
public struct PepperUse: Sendable, Equatable {
    /// The number of tokens that have not ended.
    public var tokens = 0
    /// The number of databases with such a token, the control database included.
    public var databases = 0
}

extension Provisioner {
    /// Counts the tokens of each pepper over the control database and all workspaces' databases.
    ///
    /// It reads all secrets, four databases at a time.
    ///
    /// - Returns: The use of each pepper by its id. A pepper that no token needs is missing.
    /// - Throws: `PostgresError` if a database cannot be read: a pepper might be needed there.
    public func pepperUse() async throws -> [String: PepperUse] {
        var use: [String: PepperUse] = [:]
        func add(_ counts: [String: Int]) {
            for (pepper, count) in counts {
                use[pepper, default: PepperUse()].tokens += count
                use[pepper, default: PepperUse()].databases += 1
            }
        }
        add(try await pool.withConnection { try await PepperStore($0).tokens() })
        try await withThrowingTaskGroup(of: [String: Int].self) { group in
            var running = 0
            for try await target in WorkspaceFleet(control: control, pool: pool, first: nil) {
                if running == 4, let counts = try await group.next() {
                    running -= 1
                    add(counts)
                }
                group.addTask {
                    try await withResource(try await target.connect()) {
                        try await PepperStore($0).tokens()
                    } close: {
                        await $0.close()
                    }
                }
                running += 1
            }
            for try await counts in group { add(counts) }
        }
        return use
    }
}
