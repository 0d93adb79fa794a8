import JSON
import Postgres
import Server
import ServerTestSupport
import Service
import Tenancy
import TestSupport
import Testing

/// Turns of organizations at the connections to the control database, which all share.
@Suite(.hangLimit) struct TurnsTests {
    // The attack: one organization sends so many changes at once that those of all others wait behind them.
    @Test func `many changes of an organization keep neither another organization nor an operator waiting`()
        async throws
    {
        // Nothing else uses the connection for changes that stop keys, so the order of those that wait is known.
        try await withConsole(configure: {
            $0.databases.maximumStoppedDatabases = 1
            // One place for the fences of each change, of which an organization gets five.
            $0.databases.maximumFencedStops = 6
        }) { console in
            let (mortise, api) = (console.mortise, console.mortise.api)
            let quiet = try await mortise.makeOrganization("Quiet")
            var busy: [ServerHarness.IssuedKey] = []
            for permission in ["keys:read", "keys:write", "keys:verify", "events:read"] {
                busy.append(try await mortise.makeAdmin([permission]))
            }
            let ofQuiet = try await mortise.makeAdmin(["keys:read"], organization: quiet.id, as: quiet.token)
            let made = try await api.post("/v1/operator-keys", ["name": "second"], as: mortise.operatorToken)
            let ofOperators = try made.string("key", "id")
            let browser = try await console.browser("ada@example.org", "owner")
            let page = "/console/admin-keys/\(busy[3].id)/disable"
            let fields = [("csrf", try await browser.get(page).field("csrf"))]
            let cookies = browser.cookies

            @Sendable func disable(_ path: String, as token: String) async throws -> Int {
                try await api.post("\(path)/disable", as: token).status
            }
            var changes: [@Sendable () async throws -> Int] = busy.prefix(3)
                .map { key in { try await disable(key.path, as: mortise.adminToken) } }
            // A member in the console takes the turns of the organization, too.
            changes.append {
                let browser = console.browser()
                for (name, value) in cookies { browser.set(name, value) }
                return try await browser.post(page, fields).status
            }
            changes.append { try await disable(ofQuiet.path, as: quiet.token) }
            changes.append { try await disable("/v1/operator-keys/\(ofOperators)", as: mortise.operatorToken) }

            let order = try await order(of: changes, at: mortise)
            #expect(order == [busy[0].id, ofQuiet.id, ofOperators, busy[1].id, busy[2].id, busy[3].id])
        }
    }

    // The attack: somebody without a credential sends so many requests that those of operators wait behind them.
    @Test func `many requests without a credential keep no operator waiting`() async throws {
        try await withConsole(configure: {
            $0.databases.maximumStoppedDatabases = 1
            $0.databases.maximumFencedStops = 6
        }) { console in
            let (mortise, api) = (console.mortise, console.mortise.api)
            var leaked: [ServerHarness.IssuedKey] = []
            for permission in ["keys:read", "keys:write", "keys:verify"] {
                leaked.append(try await mortise.makeAdmin([permission]))
            }
            let made = try await api.post("/v1/operator-keys", ["name": "second"], as: mortise.operatorToken)
            let ofOperators = try made.string("key", "id")
            // Everybody can report a leaked key, which is then revoked.
            @Sendable func report(_ token: String) async throws -> Int {
                try await api.post("/v1/leaks", ["tokens": .array([.string(token)])], as: nil).status
            }
            @Sendable func disable() async throws -> Int {
                try await api.post("/v1/operator-keys/\(ofOperators)/disable", as: mortise.operatorToken).status
            }
            var changes: [@Sendable () async throws -> Int] = leaked.map { key in { try await report(key.token) } }
            changes.append { try await disable() }
            let order = try await order(of: changes, at: mortise)
            #expect(order == [leaked[0].id, ofOperators, leaked[1].id, leaked[2].id])
        }
    }

    /// Sends changes that stop keys, each when the one before it waits, and then lets them go on.
    ///
    /// - Returns: The keys in the order in which they were stopped.
    private func order(
        of changes: [@Sendable () async throws -> Int],
        at mortise: ServerHarness
    ) async throws -> [String] {
        let databases = mortise.server.platform.databases
        try await withThrowingTaskGroup(of: Int.self) { group in
            try await databases.withStop(nil) { _ in
                for (number, change) in changes.enumerated() {
                    group.addTask { try await change() }
                    try await eventually("the change waits") {
                        databases.controlPools.first { $0.purpose == "stops" }?.figures.waiting == number + 1
                    }
                }
            }
            for try await status in group { #expect([200, 202, 303].contains(status)) }
        }
        return
            try await mortise.rows(
                mortise.installation.control,
                "SELECT key_id::text FROM auth.key_events WHERE type IN ('disabled', 'revoked') ORDER BY occurred_at"
            )
            .map { try $0.decode(0, as: String.self) }
    }
}
