import JSON
import Keys
import Postgres
import Server
import ServerTestSupport
import Service
import Tenancy
import TestSupport
import Testing

/// Limits that two nodes share.
@Suite(.hangLimit) struct NodeLimitTests {
    /// Runs two nodes of one installation that know of each other.
    private func withTwoNodes(_ body: (ServerHarness, ServerHarness) async throws -> Void) async throws {
        try await withInstallation { installation in
            try await withMortise(of: installation) { first in
                try await withMortise(of: installation) { second in
                    for node in [first, second] {
                        let limits = try node.server.platform.databases.primaryLimits()
                        try await eventually("the nodes know of each other") { limits.nodes == 2 }
                    }
                    try await body(first, second)
                }
            }
        }
    }

    // Attack: a client asks both nodes, so that each of them lets the whole limit through.
    @Test func `two nodes let through one limit and its stated excess, however the client changes over`() async throws {
        try await withTwoNodes { first, second in
            for run in [1, 150] {
                let key = try await first.makeKey("in runs of \(run)", ["rate_limit_per_hour": 60])
                var accepted = 0
                let start = ContinuousClock.now
                for number in 0..<200 {
                    let node = [first, second][number / run % 2]
                    let answer = try await node.api
                        .post("/v1/verify", ["token": .string(key.token)], as: first.adminToken)
                    switch answer["code"]?.string {
                    case "valid": accepted += 1
                    case "rate_limited": #expect(answer["rate_limit"]?["remaining"] == 0, "\(answer)")
                    default: Issue.record("\(answer)")
                    }
                }
                // The limit, half of it, one for the other node, and what becomes available on a slow machine: one each minute.
                let minutes = Int((ContinuousClock.now - start) / .seconds(60))
                #expect((60...93 + minutes).contains(accepted), "in runs of \(run): \(accepted)")
            }
        }
    }

    // Attack: a client sends all at once to both nodes.
    @Test func `uses that wait for the other node's are decided and not refused too early`() async throws {
        try await withTwoNodes { first, second in
            let key = try await first.makeKey("burst", ["rate_limit_per_hour": 100])
            let codes = try await withThrowingTaskGroup(of: String.self) { group in
                for number in 0..<160 {
                    group.addTask {
                        try await [first, second][number % 2].api
                            .post("/v1/verify", ["token": .string(key.token)], as: first.adminToken).string("code")
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            let valid = codes.count { $0 == "valid" }
            #expect((90...152).contains(valid), "\(valid)")
            #expect(codes.allSatisfy { ["valid", "rate_limited"].contains($0) })
        }
    }

    // The attack: somebody guesses at each node in turn, so that each counts a part of the guesses only.
    @Test func `guesses count over all nodes, and a right password clears them on all`() async throws {
        try await withTwoNodes { first, second in
            _ = try await first.addMember("ada@example.org", "owner")
            for _ in 0..<2 {
                for number in 0..<9 {
                    let node = [first, second][number % 2]
                    #expect(try await node.trySignIn("ada@example.org", "a guess").status == 401)
                }
                #expect(try await second.trySignIn("ada@example.org").status == 201)
            }
            for number in 0..<10 {
                let node = [first, second][number % 2]
                #expect(try await node.trySignIn("ada@example.org", "a guess").status == 401, "\(number)")
            }
            for node in [first, second] {
                #expect(try await node.trySignIn("ada@example.org", "a guess").status == 429)
                #expect(try await node.trySignIn("ada@example.org").status == 429)
            }
        }
    }

    /// Lets the rows of all limits look as after a step of the server's clock: it was an hour ahead, and was set back.
    ///
    /// A function of an earlier release has written no time of the last report.
    private func setClockBack(_ node: ServerHarness, ofEarlierRelease: Bool) async throws {
        let names = node.installation.installation
        let database = node.installation.server.configuration(database: names.clusterDatabase)
        let count = try await node.rows(database, "SELECT count(*) FROM limits.arrivals")
        try #require(try count[0].decode(0, as: Int.self) > 0)
        let hour = 3_600_000_000_000
        try await node.script(
            database,
            """
            UPDATE limits.arrivals SET minute_arrival = minute_arrival + \(hour), hour_arrival = hour_arrival + \(hour),
                reported_at = \(ofEarlierRelease ? "0" : "reported_at + \(hour)")
            """
        )
    }

    // The fault: an operator or NTP sets the clock of the server back by an hour, and limited keys are refused for an hour.
    @Test(arguments: [false, true])
    func `a key is allowed again within its period after the server's clock was set back`(ofEarlierRelease: Bool)
        async throws
    {
        try await withTwoNodes { first, second in
            let key = try await first.makeKey("stepped", ["rate_limit_per_minute": 60])
            for number in 0..<20 {
                let code = try await [first, second][number % 2].verdict(key.token, as: first.adminToken)
                #expect(code == "valid", "\(number)")
            }
            try await setClockBack(first, ofEarlierRelease: ofEarlierRelease)
            for number in 0..<20 {
                let node = [first, second][number % 2]
                try await eventually("the key is allowed on node \(number % 2)") {
                    try await node.verdict(key.token, as: first.adminToken) == "valid"
                }
            }
        }
    }

    // The fault: the same step locked members out of their accounts for an hour.
    @Test(arguments: [false, true])
    func `a member can sign in after the server's clock was set back`(ofEarlierRelease: Bool) async throws {
        try await withTwoNodes { first, second in
            _ = try await first.addMember("ada@example.org", "owner")
            #expect(try await first.trySignIn("ada@example.org", "a guess").status == 401)
            try await setClockBack(first, ofEarlierRelease: ofEarlierRelease)
            for node in [second, first, second] {
                let answer = try await node.trySignIn("ada@example.org")
                #expect(answer.status == 201, "\(answer)")
            }
        }
    }
}
