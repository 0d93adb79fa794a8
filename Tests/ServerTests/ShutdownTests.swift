import Connections
import FoundationEssentials
import JSON
import NIOCore
import Postgres
import Server
import ServerTestSupport
import Tenancy
import TestSupport
import Testing

/// A shutdown loses no accepted request.
@Suite(.hangLimit) struct ShutdownTests {
    @Test func `a running request is answered during shutdown, and the usage counts are written`() async throws {
        try await withInstallation { installation in
            let database = try await withMortise(of: installation) { mortise in
                let key = try await mortise.makeKey("busy")
                for _ in 0..<7 { #expect(try await mortise.verdict(key.token) == "valid") }
                let database = try await mortise.workspaceDatabase()
                // The key's row is locked, so the change waits until the lock is released.
                let holder = try await PostgresConnection.connect(
                    database,
                    reactor: try TestReactor.shared,
                    logger: LogCollector().logger
                )
                try await holder.script("BEGIN; SELECT 1 FROM auth.service_keys FOR UPDATE")
                async let patch = mortise.api.send("PATCH", key.path, ["name": "renamed"], as: mortise.adminToken)
                try await eventually("the change waits for the lock") {
                    let waiting = try await mortise.rows(
                        database,
                        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
                    )
                    return !waiting.isEmpty
                }
                await mortise.stop()
                try await holder.script("COMMIT")
                await holder.close()
                #expect(try await patch.string("name") == "renamed")
                return database
            }
            let connection = try await PostgresConnection.connect(
                database,
                reactor: try TestReactor.shared,
                logger: LogCollector().logger
            )
            let rows = try await connection.query(
                Statement("SELECT sum(verifications)::bigint FROM auth.key_usage", prepared: false)
            )
            #expect(try rows.first?.decode(0, as: Int64.self) == 7)
            // The server processes of PostgreSQL end shortly after their clients disconnect.
            try await eventually("no connection is left") {
                try await connection.query(
                    Statement("SELECT 1 FROM pg_stat_activity WHERE starts_with(usename, $1)", prepared: false),
                    [installation.installation.prefix]
                )
                .isEmpty
            }
            await connection.close()
        }
    }

    // A load balancer must see that the server is not ready before the server refuses connections.
    @Test func `a server that shuts down first becomes not ready and still answers requests`() async throws {
        let clock = HeldClock()
        // The clock is released even if an expectation throws. Otherwise the server would drain until its delay is
        // over.
        defer { clock.letGo() }
        try await withMortise(configure: {
            $0.drainDelay = .seconds(5)
            $0.drainClock = clock
        }) { mortise in
            let key = try await mortise.makeKey()
            #expect(try await mortise.api.get("/readyz", as: nil).status == 200)
            await mortise.stop()
            // The server may give the cached readiness of the last second once more.
            try await eventually("it is not ready") { try await mortise.api.get("/readyz", as: nil).status == 503 }
            #expect(try await mortise.api.get("/readyz", as: nil).text == "the server is shutting down\n")
            #expect(try await mortise.api.get("/healthz", as: nil).status == 200)
            #expect(try await mortise.verdict(key.token) == "valid")
            clock.letGo()
        }
    }

    // With a delay that is longer than the time for requests, that time used to end first and took the requests along.
    @Test func `the time for accepted requests begins when the server stops accepting connections`() async throws {
        let clock = HeldClock()
        defer { clock.letGo() }
        try await withMortise(configure: {
            $0.drainDelay = .seconds(3600)
            $0.drainClock = clock
            $0.shutdownGrace = .zero
        }) { mortise in
            let key = try await mortise.makeKey()
            await mortise.stop()
            try await eventually("it is not ready") { try await mortise.api.get("/readyz", as: nil).status == 503 }
            #expect(try await mortise.verdict(key.token) == "valid")
            clock.letGo()
        }
    }

    @Test func `the server listens on a Unix-domain socket`() async throws {
        let name = "mortise-\(UInt32.random(in: 0...UInt32.max)).sock"
        let path = FileManager.default.temporaryDirectory.appending(path: name).path()
        try await withMortise(configure: { $0.listener = .unixSocket(path: path) }) { mortise in
            #expect(mortise.address.pathname == path)
        }
    }
}
