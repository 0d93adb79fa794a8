import Postgres
import TestSupport
import Testing

/// Notifications by LISTEN and NOTIFY.
@Suite(.hangLimit) struct NotificationTests {
    @Test func `notifications reach another connection in order, with channel, payload and sender`() async throws {
        try await withFixture { fixture in
            let listener = try await fixture.connect()
            let sender = try await fixture.connect()
            try await listener.listen("first")
            try await listener.listen("Second \"channel\"")
            for number in 0..<100 {
                try await sender.query(Statement("SELECT pg_notify('first', $1::text)"), ["\(number)"])
            }
            try await sender.script("NOTIFY \"Second \"\"channel\"\"\"; NOTIFY \"not listened to\"")
            var received: [PostgresNotification] = []
            for await notification in listener.notifications {
                received.append(notification)
                if notification.channel != "first" { break }
            }
            #expect(received.dropLast().map(\.payload) == (0..<100).map { "\($0)" })
            #expect(received.last?.channel == "Second \"channel\"")
            #expect(received.last?.payload == "")
            #expect(received.allSatisfy { $0.process == sender.backendProcessID })
        }
    }

    // The notification arrives behind the answer in the same packet, and no later packet wakes the reactor.
    @Test func `a notification that arrives with an answer is delivered at once`() async throws {
        try await withFixture { fixture in
            let connection = try await fixture.connect()
            try await connection.listen("own")
            var notifications = connection.notifications.makeAsyncIterator()
            for number in 0..<20 {
                try await connection.query(Statement("SELECT pg_notify('own', $1::text)"), ["\(number)"])
                #expect(await notifications.next()?.payload == "\(number)")
                try await connection.script("NOTIFY own, 'script'")
                #expect(await notifications.next()?.payload == "script")
            }
        }
    }

    @Test func `the stream of notifications ends when the connection breaks or is closed`() async throws {
        try await withFixture { fixture in
            for isKilled in [true, false] {
                let listener = try await fixture.connect()
                try await listener.listen("channel")
                if isKilled {
                    try await administer("SELECT pg_terminate_backend(\(listener.backendProcessID))")
                } else {
                    await listener.close()
                }
                for await _ in listener.notifications { Issue.record("nothing was sent") }
                #expect(!listener.isUsable)
            }
        }
    }

    @Test func `of more unread notifications than the limit the newest are kept`() async throws {
        try await withFixture { fixture in
            let listener = try await fixture.connect()
            try await listener.listen("many")
            let sender = try await fixture.connect()
            try await sender.script("SELECT pg_notify('many', n::text) FROM generate_series(1, 3000) n")
            // An answer to the listener arrives behind the notifications that were sent to it before.
            try await sender.script("NOTIFY many, 'last'")
            try await eventually("all notifications have arrived") { try await listener.number("SELECT 1::int8") == 1 }
            var payloads: [String] = []
            for await notification in listener.notifications {
                payloads.append(notification.payload)
                if notification.payload == "last" { break }
            }
            #expect(payloads.count <= 1025)
            #expect(payloads.suffix(3) == ["2999", "3000", "last"])
        }
    }

    // A connection that still listens would keep notifications in memory, which the next caller does not expect.
    @Test func `a connection that listens is closed instead of going back to its pool`() async throws {
        try await withFixture { fixture in
            try await fixture.withPool { pool in
                try await pool.withConnection { try await $0.listen("channel") }
                #expect(pool.usage.open == 0)
            }
        }
    }
}
