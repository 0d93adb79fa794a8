import FoundationEssentials
import MortiseClient

/// The examples in `Event.swift`.
enum NativeEventExamples {
    static func example1(_ client: Mortise) async throws {
        let page = try await client.workspaces.events("shop").firstPage()
        for event in page.items { print(event.occurredAt, event.type, event.actor) }
    }

    static func example2(_ client: Mortise) async throws {
        let filter = EventFilter(type: "rotated", since: Date(timeIntervalSinceNow: -86_400))
        let events = try await client.workspaces.events("shop", filter).all()
        print(events.count)
    }

    static func example3() {
        let filter = EventFilter(actor: "admin-key:0198c0de-0000-7000-8000-000000000001")
        print(filter.type ?? "any type")
    }
}
