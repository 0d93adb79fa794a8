import HTTPTestSupport
import JSON
import Postgres
import TestSupport
import Testing

/// Webhooks while the process of a node is killed.
@Suite(.hangLimit) struct WebhookCrashTests {
    // The fault: a node commits a change and is killed before it has read the event, or before it has sent it.
    @Test func `the events of a node that is killed are delivered by another node`() async throws {
        try await ScriptedServer.with { _ in
            .json("{}")
        } _: { receiver in
            try await ProcessInstallation.with { installation in
                var keys: Set<String> = []
                try await installation.serve(["--webhook-allow", "127.0.0.0/8"]) { first in
                    let port = try await first.port()
                    let made = try await installation.call(
                        "POST",
                        "/v1/organizations/default/webhooks",
                        ["url": .string(receiver.url), "event_types": ["key.created"]],
                        port: port
                    )
                    try #require(made.status == 201, "\(made)")
                    // Nobody writes or claims a delivery until the kill: another session has locked the table.
                    try await installation.withConnection { connection in
                        try await connection.script("BEGIN; LOCK TABLE control.webhook_deliveries IN EXCLUSIVE MODE")
                        for index in 0..<5 {
                            let answer = try await installation.call(
                                "POST",
                                "/v1/workspaces/default/service-keys",
                                ["name": .string("k\(index)")],
                                port: port
                            )
                            try #require(answer.status == 201, "\(answer)")
                            keys.insert(try #require(answer.body["key"]?["id"]?.string))
                        }
                        first.kill()
                        try await connection.script("ROLLBACK")
                    }
                    #expect(receiver.requests.isEmpty)
                }
                try await installation.serve(["--webhook-allow", "127.0.0.0/8"]) { second in
                    _ = try await second.port()
                    try await eventually("all events arrive", within: .seconds(60)) {
                        Set(receiver.requests.compactMap { Self.key(of: $0) }) == keys
                    }
                }
            }
        }
    }

    private static func key(of request: SeenRequest) -> String? {
        (try? JSONValue(parsing: Array(request.body.utf8)))?["data"]?["key"]?["id"]?.string
    }
}
