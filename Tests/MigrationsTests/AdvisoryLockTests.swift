import Migrations
import Postgres
import TestSupport
import Testing

@Suite(.hangLimit) struct AdvisoryLockTests {
    // A statement can be cancelled just after it took the lock. The session keeps the lock, so a pool would keep a
    // connection with a lock that no caller knows of.
    @Test func `a lock that was taken by a failed statement is released`() async throws {
        try await withDatabase { database in
            try await withConnection(to: database) { other in
                // With the search path below, this function is found before the server's own function.
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
