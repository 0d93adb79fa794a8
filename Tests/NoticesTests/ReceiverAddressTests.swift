import HTTPTestSupport
import JSON
import Keys
import Locks
import Notices
import Server
import ServerTestSupport
import TestSupport
import Testing

@Suite(.hangLimit) struct ReceiverAddressTests {
    // The attack: a tenant lets Mortise call a service of the operator's network.
    @Test(arguments: ["127.0.0.1", "localhost", "[::1]"])
    func `a webhook to an address that is not globally reachable is created, and its deliveries fail with the reason`(
        _ host: String
    ) async throws {
        try await ScriptedServer.with { _ in
            .json("{}")
        } _: { inside in
            try await withMortise { mortise in
                let webhook = try await mortise.makeWebhook("http://\(host):\(inside.port)/", ["key.created"])
                _ = try await mortise.makeServiceKey("a")
                let attempt = try #require(try await mortise.attempts(webhook, 1).first)
                #expect(attempt["status_code"]?.isNull == true)
                #expect(attempt["error"]?.string?.contains("was not called") == true, "\(attempt)")
                #expect(inside.requests.isEmpty)
            }
        }
    }

    // The attack: a name server answers an allowed address to the check, and 127.0.0.1 to the connection.
    @Test func `the address that was checked is the address that is called`() async throws {
        try await ScriptedServer.with { _ in
            .json("{}")
        } _: { inside in
            let answers = Locked<[String]>([])
            let time = TestTime()
            try await withMortise(configure: { configuration in
                configuration.notices.allowedAddresses = [try? AddressRange("127.0.0.2")].compactMap(\.self)
                configuration.notices.shift = { time.shift }
                configuration.notices.resolver = HostResolver { host in
                    // The clock of the schedule goes back, so that no attempt follows by itself.
                    time.pass(.seconds(-3600))
                    let count = answers.withLock { answers in
                        answers.append(host)
                        return answers.count
                    }
                    return try #require(IPAddress(count == 1 ? "127.0.0.2" : "127.0.0.1"))
                }
            }) { mortise in
                // Nothing listens at 127.0.0.2, and the service inside at 127.0.0.1.
                let webhook = try await mortise.makeWebhook("http://localhost:\(inside.port)/", ["key.created"])
                _ = try await mortise.makeServiceKey("a")
                let attempt = try #require(try await mortise.attempts(webhook, 1).first)
                #expect(answers.withLock { $0 } == ["localhost"])
                #expect(attempt["error"]?.string?.contains("connection was refused") == true, "\(attempt)")
                // The second attempt gets the other answer, and is refused.
                let id = try #require(try await mortise.deliveries(webhook).first?["id"]?.string)
                _ = try await mortise.api.post("\(webhook.path)/deliveries/\(id)/retry", as: mortise.adminToken)
                let second = try #require(try await mortise.attempts(webhook, 2).last)
                #expect(second["error"]?.string?.contains("127.0.0.1 is") == true, "\(second)")
                #expect(inside.requests.isEmpty)
            }
        }
    }

    // The fault: a name server answers after the end of an attempt, and the receiver gets a request without a record.
    @Test func `nothing is sent to an address that is found after the end of the attempt`() async throws {
        try await ScriptedServer.with { _ in
            .json("{}")
        } _: { receiver in
            let time = TestTime()
            let isFirst = Locked(true)
            let never = AsyncStream<Void>.makeStream()
            try await withMortise(configure: { configuration in
                try? configuration.allowLoopback()
                configuration.notices.attemptDeadline = .seconds(1)
                configuration.notices.shift = { time.shift }
                configuration.notices.resolver = HostResolver { _ in
                    let waits = isFirst.withLock { first in
                        defer { first = false }
                        return first
                    }
                    if waits {
                        // The clock of the schedule goes back, so that no attempt follows by itself.
                        time.pass(.seconds(-3600))
                        // The end of the attempt ends the wait, and the address follows.
                        for await _ in never.stream {}
                    }
                    return try #require(IPAddress("127.0.0.1"))
                }
            }) { mortise in
                let webhook = try await mortise.makeWebhook("http://localhost:\(receiver.port)/", ["webhook.test"])
                #expect(try await mortise.api.post("\(webhook.path)/test", as: mortise.adminToken).status == 202)
                let attempt = try #require(try await mortise.attempts(webhook, 1).first)
                #expect(attempt["error"]?.string?.contains("no complete answer") == true, "\(attempt)")
                let id = try #require(try await mortise.deliveries(webhook).first?["id"]?.string)
                _ = try await mortise.api.post("\(webhook.path)/deliveries/\(id)/retry", as: mortise.adminToken)
                _ = try await mortise.attempts(webhook, 2)
                // The second attempt alone has sent a request.
                #expect(receiver.requests.count <= 1)
            }
        }
    }
}
