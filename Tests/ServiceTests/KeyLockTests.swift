import FoundationEssentials
import KeyStore
import Keys
import Postgres
import ServerTestSupport
import TestSupport
import Testing

/// The locks of a change of several keys.
@Suite(.hangLimit) struct KeyLockTests {
    // Attack on ourselves: two changes lock the same keys in different orders, and each waits for the other.
    @Test func `two changes of several keys lock them in one order, however the requests name them`() async throws {
        try await withMortise { mortise in
            var ids: [UUID] = []
            for number in 0..<3 {
                let key = try await mortise.makeKey("key \(number)")
                ids.append(try #require(UUIDv7.parse(key.id)))
            }
            let ascending = ids.sorted { UUIDv7.text(of: $0) < UUIDv7.text(of: $1) }
            let descending = Array(ascending.reversed())
            let database = try await mortise.workspaceDatabase()
            try await mortise.withConnection(database) { person in
                // Without the one order, each change would now lock the key at its end of the list, and then wait.
                let middle = UUIDv7.text(of: ascending[1])
                try await person.script("BEGIN; SELECT id FROM auth.service_keys WHERE id = '\(middle)' FOR UPDATE")
                async let one = Self.lock(ascending, database, mortise)
                async let other = Self.lock(descending, database, mortise)
                try await eventually("both changes wait") {
                    let waiting = try await mortise.rows(
                        database,
                        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
                    )
                    return waiting.count >= 2
                }
                try await person.script("COMMIT")
                let locked = try await [one, other]
                #expect(locked == [ascending, descending])
            }
        }
    }

    /// Locks keys in a change that changes nothing, and returns their ids as the change gets them.
    private static func lock(
        _ ids: [UUID],
        _ database: PostgresConfiguration,
        _ mortise: ServerHarness
    ) async throws -> [UUID] {
        let request = KeyChangeRequest(of: .workspace, keys: ids, workspaceID: nil, makeID: { _ in UUID() })
        return try await mortise.withConnection(database) { connection in
            try await KeyStore.change(request, on: connection) { keys, _ in
                (Attribution.system, keys.map(\.id))
            } _: { _, locked, _ in
                locked
            }
        }
    }
}
