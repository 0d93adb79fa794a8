import FoundationEssentials
import JSON
import KeyStore
import Keys
import Logging
import Postgres
import Server
import ServerTestSupport
import Service
import Tenancy
import TestSupport
import Testing
import Verification

/// The deletion of old rows, whatever becomes of one of its steps.
@Suite(.hangLimit) struct RetentionTests {
    private func number(_ sql: String, _ mortise: ServerHarness) async throws -> Int {
        try await mortise.rows(try await mortise.workspaceDatabase(), sql)[0].decode(0, as: Int.self)
    }

    // The fault: of a large workspace, the search for rows of deleted keys took longer than a statement may. Nobody was told, minutes were
    // kept, and so were all events.
    @Test func `a step of retention that fails stops no other one, and the log says so once when it fails again`()
        async throws
    {
        try await withMortise(configure: { $0.usage.interval = .seconds(3600) }) { mortise in
            try await mortise.inWorkspace(
                """
                INSERT INTO auth.key_events (id, type, actor, occurred_at)
                VALUES (gen_random_uuid(), 'created', 'long ago', now() - interval '300 days');
                INSERT INTO auth.key_usage_hourly
                SELECT gen_random_uuid(), date_trunc('hour', now(), 'UTC') - age, 'valid', 1, '[7:7]={1}'
                FROM unnest(ARRAY['401 days', '51 hours']::interval[]) age;
                INSERT INTO auth.key_usage (secret_id, key_id, last_used_at)
                VALUES (gen_random_uuid(), gen_random_uuid(), now());
                ALTER TABLE auth.key_addresses RENAME TO elsewhere
                """
            )
            func warnings() -> [String] {
                mortise.log.lines.filter { $0.level == .warning && $0.message.hasPrefix("the old rows of a workspace") }
                    .compactMap { $0.metadata["step"] }.sorted()
            }
            for run in 1...3 {
                _ = try await mortise.server.platform.upkeep.expire(eventDays: 90)
                #expect(warnings() == (run == 1 ? [] : ["addresses", "addresses_of_deleted_keys"]))
                let events = "SELECT count(*) FROM auth.key_events WHERE actor = 'long ago'"
                #expect(try await number(events, mortise) == 0)
                #expect(try await number("SELECT count(*) FROM auth.key_usage_hourly", mortise) == 1)
                #expect(try await number("SELECT count(minutes) FROM auth.key_usage_hourly", mortise) == 0)
                #expect(try await number("SELECT count(*) FROM auth.key_usage", mortise) == 0)
            }
            try await mortise.inWorkspace(
                """
                ALTER TABLE auth.elsewhere RENAME TO key_addresses;
                INSERT INTO auth.key_addresses VALUES (gen_random_uuid(), '192.0.2.7', now())
                """
            )
            #expect(try await mortise.server.platform.upkeep.expire(eventDays: 90) == 1)
            #expect(warnings().count == 2)
        }
    }

    // A table without rows of deleted keys was read to its end in one statement.
    @Test func `the search for rows of deleted keys reads a bounded number of rows, and goes on behind them`()
        async throws
    {
        try await withMortise(configure: { $0.usage.interval = .seconds(3600) }) { mortise in
            let key = try await mortise.makeKey()
            let gone = "ffffffff-0000-7000-8000-000000000000"
            try await mortise.inWorkspace(
                """
                INSERT INTO auth.key_secrets (id, key_id, digest, pepper_id, prefix)
                SELECT ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, '\(key.id)', sha256(n::text::bytea), 'p', 'x'
                FROM generate_series(1, 1200) n;
                INSERT INTO auth.key_usage (secret_id, key_id, last_used_at)
                SELECT id, key_id, now() FROM auth.key_secrets WHERE pepper_id = 'p';
                INSERT INTO auth.key_usage (secret_id, key_id, last_used_at)
                SELECT ('ffffffff-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, '\(gone)', now()
                FROM generate_series(1, 1300) n;
                INSERT INTO auth.key_addresses
                SELECT '\(key.id)', '10.0.' || n / 250 || '.' || n % 250, now() FROM generate_series(1, 1200) n;
                INSERT INTO auth.key_addresses
                SELECT '\(gone)', '10.0.' || n / 250 || '.' || n % 250, now() FROM generate_series(1, 1300) n
                """
            )
            try await mortise.withConnection(try await mortise.workspaceDatabase()) { connection in
                let store = UsageStore(connection)
                var deleted: [Int] = []
                var secret: UUID?
                repeat {
                    let (number, end) = try await store.deleteUsageOfDeletedSecrets(after: secret)
                    deleted.append(number)
                    secret = end
                } while secret != nil
                #expect(deleted == [0, 800, 500])
                deleted = []
                var address: UsageStore.AddressPosition?
                repeat {
                    let (number, end) = try await store.deleteAddressesOfDeletedKeys(after: address)
                    deleted.append(number)
                    address = end
                } while address != nil
                #expect(deleted == [0, 800, 500])
            }
            #expect(try await number("SELECT count(*) FROM auth.key_usage", mortise) == 1200)
            #expect(try await number("SELECT count(*) FROM auth.key_addresses", mortise) == 1200)
            #expect(try await mortise.server.platform.upkeep.expire(eventDays: nil) == 0)
        }
    }
}
