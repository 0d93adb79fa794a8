import JSON
import Keys
import Logging
import Server
import ServerTestSupport
import Service
import Telemetry
import TestSupport
import Testing

/// The clock of a node does not decide about keys; that of the database does.
@Suite(.hangLimit) struct ClockTests {
    // The fault: the node's clock is three hours off, and a key is valid in one answer and expired in another.
    @Test(arguments: [3, -3])
    func `every answer agrees on a key's status on a node whose clock is hours off`(hours: Int64) async throws {
        try await withMortise {
            $0.now = {
                Timestamp(microsecondsSinceUnixEpoch: systemMicroseconds() + hours * 3_600_000_000)
            }
        } _: { mortise in
            let living = try await mortise.makeKey("living", ["expires_at": .string(Self.inMinutes(30))])
            let ended = try await mortise.makeKey("ended", ["expires_at": .string(Self.inMinutes(30))])
            try await mortise.inWorkspace(
                "UPDATE auth.service_keys SET expires_at = now() - interval '30 minutes' WHERE name = 'ended'"
            )
            for (key, status, verdict) in [(living, "active", "valid"), (ended, "expired", "expired")] {
                #expect(try await mortise.verdict(key.token) == verdict)
                #expect(try await mortise.api.get(key.path, as: mortise.adminToken)["status"]?.string == status)
                let listed = try await mortise.api
                    .get("\(ServerHarness.keys())?status=\(status)", as: mortise.adminToken)
                let name = status == "active" ? "living" : "ended"
                #expect(listed["data"]?.array?.compactMap { $0["name"]?.string } == [name])
            }
        }
    }

    // The attack: somebody finds an old session of an application, and a node whose clock is behind.
    @Test(arguments: [3, -3])
    func `a session of an application ends by the database's clock`(hours: Int64) async throws {
        let signer = try SessionSigner()
        try await withMortise {
            $0.now = {
                Timestamp(microsecondsSinceUnixEpoch: systemMicroseconds() + hours * 3_600_000_000)
            }
        } _: { mortise in
            try await mortise.addSessionIssuer(signer)
            let sessions = mortise.server.platform.sessionIssuers
            _ = try await sessions.principal(for: try signer.session())
            let end = systemMicroseconds() / 1_000_000 - 1800
            let ended = try signer.session(SessionSigner.user, ["nbf": .integer(end - 3600), "exp": .integer(end)])
            await #expect(throws: Refusal.self) { try await sessions.principal(for: ended) }
        }
    }

    @Test func `a node whose clock is hours off says so once`() async throws {
        try await withMortise {
            $0.now = { Timestamp(microsecondsSinceUnixEpoch: systemMicroseconds() - 3 * 3_600_000_000) }
            $0.clockInterval = .milliseconds(10)
        } _: { mortise in
            func lines() -> [LogCollector.Line] {
                mortise.log.lines.filter { $0.level == .error && $0.message.contains("clock of this machine") }
            }
            try await eventually("the log says so") { !lines().isEmpty }
            let key = try await mortise.makeKey()
            #expect(try await mortise.verdict(key.token) == "valid")
            #expect(lines().count == 1)
            // A machine that is slow to ask makes the difference smaller.
            let seconds = lines().first?.metadata["seconds_ahead"].flatMap { Int($0) }
            #expect(seconds.map { (-10_800...(-10_000)).contains($0) } == true)
        }
    }

    private static func inMinutes(_ minutes: Int64) -> String {
        Timestamp(microsecondsSinceUnixEpoch: systemMicroseconds() + minutes * 60_000_000).rfc3339
    }
}
