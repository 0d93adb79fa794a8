import JSON
import Keys
import Server
import ServerTestSupport
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

    private static func inMinutes(_ minutes: Int64) -> String {
        Timestamp(microsecondsSinceUnixEpoch: systemMicroseconds() + minutes * 60_000_000).rfc3339
    }
}
