import Migrations
import Postgres
import TestSupport
import Testing

@Suite(.hangLimit) struct AdvisoryLockTests {
    // A statement that is cancelled, or whose time is up, just after it took the lock: a session's lock outlives the statement, so in a pool
    // the lock would stay with a connection that nobody knows to have it.
    @Test func `a lock that was taken by a statement that failed is given back`() async throws {
        try await withDatabase { database in
            try await withConnection(to: database) { other in
                // Found before the server's own function by whoever has this search path.
                try await other.script(
                    """
                    CREATE FUNCTION public.pg_try_advisory_lock(key bigint) RETURNS boolean LANGUAGE plpgsql AS $$
                    BEGIN
                        PERFORM pg_catalog.pg_try_advisory_lock(key);
                        RAISE EXCEPTION 'canceling statement due to statement timeout' USING ERRCODE = '57014';
                    END
                    $$
                    """
                )
                try await withConnection(to: database.setting("search_path", "public, pg_catalog")) { connection in
                    let lock = AdvisoryLock("test")
                    let error = await #expect(throws: PostgresError.self) {
                        try await lock.lock(on: connection, patience: .zero)
                    }
                    #expect(error?.sqlState == .queryCanceled)
                    try await eventually("the lock is free") {
                        do {
                            try await lock.lock(on: other, patience: .zero)
                            return true
                        } catch is AdvisoryLock.Taken {
                            return false
                        }
                    }
                    await lock.unlock(on: other)
                }
            }
        }
    }
}
