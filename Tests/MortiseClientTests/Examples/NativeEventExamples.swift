import FoundationEssentials
import MortiseClient

/// The examples in `Event.swift`.
enum NativeEventExamples {
    static func example1(_ client: Mortise) async throws {
        let filter = EventFilter(since: Date(timeIntervalSinceNow: -86_400))
        for try await event in client.workspaces.events("shop", filter) {
            print(event.occurredAt, event.actor, event.type, event.keyName ?? "the workspace")
            for (setting, value) in event.changes { print(setting, value) }
            // The server's log has the same request id.
            print("from", event.address ?? "nowhere", "request", event.requestID ?? "none")
        }
    }

    static func example2(_ client: Mortise) async throws {
        let events = try await client.workspaces.events("shop").all()
        let lines = events.map { event in
            [event.id, event.type, event.organizationID, event.workspaceID, event.keyID]
                .map { $0 ?? "" }
                .joined(separator: ",")
        }
        try lines.joined(separator: "\n").write(toFile: "events.csv", atomically: true, encoding: .utf8)
    }

    static func example3(_ client: Mortise) async throws {
        var filter = EventFilter(type: "rotated", since: Date(timeIntervalSinceNow: -7 * 86_400))
        filter.until = Date(timeIntervalSinceNow: -86_400)
        let events = try await client.workspaces.events("shop", filter).all()
        print(events.count)
    }

    static func example4() {
        let filter = EventFilter(actor: "admin-key:0198c0de-0000-7000-8000-000000000001")
        print(filter.type ?? "any type")
    }
}
