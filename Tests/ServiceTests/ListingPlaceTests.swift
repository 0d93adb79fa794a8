import KeyStore
import Keys
import Postgres
import Server
import ServerTestSupport
import Tenancy
import TestSupport
import Testing

@testable import Service

/// The places at which lists of keys are read.
@Suite(.hangLimit) struct ListingPlaceTests {
    private static let waiting =
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"

    // The attack: a tenant asks for several lists of 8 MB at once, each of which occupies a processor of the PostgreSQL server.
    @Test func `the lists of a workspace are read one after the other, and keep no others waiting`() async throws {
        try await withMortise { mortise in
            let (keys, home) = (mortise.keyService, try await mortise.serviceKeys())
            let principal = try await mortise.caller().principal
            let others = try await mortise.server.platform.access.keys(
                ofOrganization: "default",
                for: principal,
                .keysRead
            )
            let database = try await mortise.workspaceDatabase()
            try await mortise.withConnection(database) { person in
                try await person.script("BEGIN; LOCK TABLE auth.service_keys")
                async let one = keys.listing(KeyFilter(), limit: 10, in: home)
                try await eventually("the first list waits for the lock") {
                    try await mortise.rows(database, Self.waiting).count == 1
                }
                async let two = keys.listing(KeyFilter(), limit: 10, in: home)
                try await eventually("the second list waits for the first") { keys.context.listings.waitingCount == 1 }
                let elsewhere = try await keys.listing(KeyFilter(), limit: 10, in: others)
                #expect(elsewhere.total > 0)
                let waiting = try await mortise.rows(database, Self.waiting)
                #expect(waiting.count == 1)
                try await person.script("COMMIT")
                let totals = try await [one.total, two.total]
                #expect(totals == [0, 0])
            }
        }
    }

    // The attack: while a tenant's list of 8 MB occupies one processor of a small machine, its next list occupies the other one.
    @Test func `a list of a workspace is used before the next one is read`() async throws {
        try await withMortise { mortise in
            let (keys, home) = (mortise.keyService, try await mortise.serviceKeys())
            let next = try await keys.withListing(KeyFilter(), limit: 10, in: home) { first in
                #expect(first.total == 0)
                let next = Task { try await keys.listing(KeyFilter(), limit: 10, in: home) }
                try await eventually("the next list waits for the first") { keys.context.listings.waitingCount == 1 }
                return next
            }
            #expect(try await next.value.total == 0)
        }
    }
}
