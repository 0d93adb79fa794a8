import JSON
import KeyStore
import Keys
import Testing

@testable import Notices

@Suite struct WebhookRuleTests {
    @Test(arguments: [
        "https://example.com", "https://example.com:8443/a?b=c", "https://10.0.0.1/", "https://[2001:db8::1]/x",
        "http://127.0.0.1:9/x", "http://localhost/x", "http://[::1]:9/", "HTTPS://EXAMPLE.com/", "https://a_b.example/",
    ])
    func `an https URL is accepted, and an http URL of this machine`(_ text: String) {
        #expect(WebhookURL(text) != nil)
    }

    // The attack: a URL that two parsers read differently, or that sends events in the clear.
    @Test(arguments: [
        "http://example.com", "ftp://example.com", "example.com", "https://", "https:///x", "https://a@b.example/",
        "https://a:b@c.example", "https://example.com/#f", "https://exa mple.com", "https://ex%61mple.com/",
        "https://example.com\\@evil.example/", "https://exämple.com", "https://[fe80::1%25eth0]/", "file:///etc/passwd",
        "http://127.0.0.1.example.com/", "http://localhost.example/", "https://example.com:0/",
        "https://example.com:99999/",
    ])
    func `any other URL is refused`(_ text: String) {
        #expect(WebhookURL(text) == nil)
    }

    @Test func `the request names the host and the path of the URL`() throws {
        let url = try #require(WebhookURL("https://Example.com:8443/a/b?c=%20d"))
        #expect(url.authority == "example.com:8443")
        #expect(url.target == "/a/b?c=%20d")
        #expect(try #require(WebhookURL("https://[2001:db8::1]")).authority == "[2001:db8::1]")
        #expect(try #require(WebhookURL("https://example.com?x=1")).target == "/?x=1")
    }

    @Test func `a pattern is a type, a family, or all`() {
        for text in ["*", "key.*", "key.revoked", "member.added", "webhook.disabled", "workspace.*", "key.unused"] {
            #expect(WebhookEventTypes.isPattern(text), "\(text)")
        }
        for text in ["", "key", "key.", ".*", "**", "key.nothing", "session.*", "session.begun", "KEY.*", "key.*.x"] {
            #expect(!WebhookEventTypes.isPattern(text), "\(text)")
        }
        #expect(WebhookEventTypes.matches(["key.*"], "key.revoked"))
        #expect(!WebhookEventTypes.matches(["key.*"], "keys.revoked"))
        #expect(!WebhookEventTypes.matches(["key.rotated", "member.*"], "key.revoked"))
        #expect(!WebhookEventTypes.isPublished(EventType.sessionBegun.rawValue))
    }

    // The attack: the name servers of an organization never answer, and its look-ups take every thread.
    @Test func `an organization with many look-ups under way gets no further attempt`() throws {
        let slots = AttemptSlots()
        let organization = try #require(UUIDv7.parse("0198c0de-0000-7000-8000-000000000001"))
        let now = ContinuousClock.now
        for _ in 1..<AttemptSlots.lookupsPerOrganization { slots.beginLookup(of: organization) }
        #expect(slots.shares(at: now).organizations.isEmpty)
        slots.beginLookup(of: organization)
        let none = AttemptShares.OfOrganization(quick: 0, slow: 0)
        #expect(slots.shares(at: now).organizations == [organization: none])
        slots.endLookup(of: organization)
        #expect(slots.shares(at: now).organizations.isEmpty)
    }

    @Test func `the attempts follow the schedule, with up to a fifth of the pause more`() throws {
        let start = try #require(Timestamp(rfc3339: "2030-01-01T00:00:00Z"))
        var now = start
        var times: [Int] = []
        for attempt in 1... {
            guard let next = DeliverySchedule.next(after: attempt, start: start, now: now, chance: 0) else { break }
            now = next
            times.append(Int((next - start).components.seconds))
        }
        #expect(times == [5, 300, 1800, 7200, 18_000, 36_000, 86_400, 108_000])
        let late = DeliverySchedule.next(after: 2, start: start, now: start + .seconds(5), chance: 1)
        #expect(late == start + .seconds(300) + .seconds(59))
    }

    // The fault: a node was away for a day, and then makes all missed attempts in a second.
    @Test func `attempts that were missed are not made up for at once`() throws {
        let start = try #require(Timestamp(rfc3339: "2030-01-01T00:00:00Z"))
        let now = start + .seconds(90_000)
        let next = try #require(DeliverySchedule.next(after: 3, start: start, now: now, chance: 0))
        #expect(next - now == .seconds(750))
    }

    // The leak: a name, a subject or an actor is an e-mail address, or holds a token.
    @Test func `a body has no e-mail address and no token`() throws {
        let token = "mks_live_" + String(repeating: "a", count: 46)
        let now = try #require(Timestamp(rfc3339: "2030-01-01T00:00:00Z"))
        var changes = EventChanges()
        changes.add("email", "ada@example.com")
        changes.add("name", from: "ada@example.com's key", to: "\(token) of <bob@example.org>")
        let id = try #require(UUIDv7.parse("0198c0de-0000-7000-8000-000000000001"))
        let event = EventRecord(
            .updated,
            id: id,
            keyID: id,
            keyName: "for carol@example.net",
            changes: changes,
            by: Attribution(actor: "session:dan@example.com", address: "192.0.2.1"),
            at: now
        )
        let text = EventBody(event, organization: id, key: nil, sequence: 7).text
        for secret in ["ada@", "bob@", "carol@", "dan@", "email", token, "192.0.2.1"] {
            #expect(!text.contains(secret), "\(secret) in \(text)")
        }
        let data = try #require(try JSONValue(parsing: Array(text.utf8))["data"])
        #expect(data["sequence"] == 7 && data["key"]?["status"] == "deleted")
    }

    @Test func `a text without an address stays as it is`() throws {
        let id = try #require(UUIDv7.parse("0198c0de-0000-7000-8000-000000000001"))
        var changes = EventChanges()
        changes.add("description", "a @ @b c@ @@ x\u{301}@\u{301}y, z@@w d")
        let event = EventRecord(
            .updated,
            id: id,
            keyID: id,
            keyName: "a",
            changes: changes,
            by: Attribution(actor: "system", address: nil),
            at: try #require(Timestamp(rfc3339: "2030-01-01T00:00:00Z"))
        )
        let text = EventBody(event, organization: id, key: nil, sequence: 7).text
        #expect(text.contains("a @ @b c@ @@ ****, z@@w d"))
    }
}
