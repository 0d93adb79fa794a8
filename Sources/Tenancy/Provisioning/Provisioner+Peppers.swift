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

/// The tokens of each pepper over the databases that could be read.
public struct PepperCount: Sendable {
    /// The use of each pepper by its id.
    ///
    /// A pepper that no token needs is missing.
    public var use: [String: PepperUse] = [:]
    /// The workspaces whose databases could not be read: the slugs by the ids.
    ///
    /// Any pepper can be needed there.
    public var unread: [String: String] = [:]

    fileprivate mutating func add(_ counts: [String: Int]) {
        for (pepper, count) in counts {
            use[pepper, default: PepperUse()].tokens += count
            use[pepper, default: PepperUse()].databases += 1
        }
    }
}

extension Provisioner {
    /// Counts the tokens of each pepper over the control database and all workspaces' databases.
    ///
    /// It reads all secrets, four databases at a time.
    ///
    /// - Returns: The counts, with the databases that could not be read.
    /// - Throws: The control database's errors.
    public func pepperUse() async throws -> PepperCount {
        var count = PepperCount()
        count.add(try await pool.withConnection { try await PepperStore($0).tokens() })
        try await withThrowingTaskGroup(of: (FleetTarget, [String: Int]?).self) { group in
            func add(_ target: FleetTarget, _ counts: [String: Int]?) {
                if let counts { count.add(counts) } else { count.unread[target.id] = target.name }
            }
            var running = 0
            for try await target in WorkspaceFleet(control: control, pool: pool, first: nil) {
                if running == 4, let (target, counts) = try await group.next() {
                    running -= 1
                    add(target, counts)
                }
                group.addTask { (target, try await Self.tokens(of: target)) }
                running += 1
            }
            for try await (target, counts) in group { add(target, counts) }
        }
        return count
    }

    /// Returns the number of tokens of each pepper in a workspace's database, or `nil` if it cannot be read.
    private static func tokens(of target: FleetTarget) async throws -> [String: Int]? {
        do {
            return try await withResource(try await target.connect()) {
                try await PepperStore($0).tokens()
            } close: {
                await $0.close()
            }
        } catch {
            try Task.checkCancellation()
            return nil
        }
    }
}
