import Crypto
import FoundationEssentials
import HTTPTestSupport
import JSON
import Keys
import Locks
import Notices
import Server
import ServerTestSupport
import Service
import TestSupport
import Testing
import Verification

/// The time of schedules, which a test moves.
final class TestTime: Sendable {
    private let value = Locked(Duration.zero)

    var shift: Duration { value.withLock { $0 } }

    func pass(_ time: Duration) { value.withLock { $0 += time } }
}

/// A webhook that a test has created.
struct TestWebhook {
    let id: String
    let secret: String

    var path: String { "/v1/organizations/default/webhooks/\(id)" }

    /// Returns true if a request is signed with the secret.
    ///
    /// It is written here once more, without the code under test.
    func verifies(_ request: SeenRequest, with secret: String? = nil) throws -> Bool {
        let secret = secret ?? self.secret
        let key = try #require(Data(base64Encoded: String(secret.dropFirst("whsec_".count))))
        let id = try #require(request.header("webhook-id").first)
        let time = try #require(request.header("webhook-timestamp").first)
        let message = Data("\(id).\(time).\(request.body)".utf8)
        let code = HMAC<SHA256>.authenticationCode(for: message, using: SymmetricKey(data: key))
        let expected = "v1,\(Data(code).base64EncodedString())"
        return request.header("webhook-signature").first?.split(separator: " ").contains { $0 == expected } ?? false
    }
}

extension ServerConfiguration {
    /// Lets webhooks reach the tests' own receivers.
    mutating func allowLoopback() throws {
        notices.allowedAddresses = [try AddressRange("127.0.0.0/8"), try AddressRange("::1")]
    }
}

extension ServerHarness {
    func makeWebhook(_ url: String, _ types: [String] = ["*"], _ more: [String: JSONValue] = [:]) async throws
        -> TestWebhook
    {
        var body = JSONObject()
        body["url"] = .string(url)
        body["event_types"] = .array(types.map { .string($0) })
        for (name, value) in more { body[name] = value }
        let answer = try await api.post("/v1/organizations/default/webhooks", .object(body), as: adminToken)
        try #require(answer.status == 201, "\(answer)")
        return TestWebhook(
            id: try #require(answer["webhook"]?["id"]?.string),
            secret: try #require(answer["secret"]?.string)
        )
    }

    /// Creates a service key and returns its path and token.
    func makeServiceKey(_ name: String) async throws -> (path: String, token: String) {
        let answer = try await api.post(
            "/v1/workspaces/default/service-keys",
            ["name": .string(name)],
            as: adminToken
        )
        try #require(answer.status == 201, "\(answer)")
        let id = try #require(answer["key"]?["id"]?.string)
        return ("/v1/workspaces/default/service-keys/\(id)", try #require(answer["token"]?.string))
    }

    /// Searches for keys that need a notice.
    func searchNotices() async throws { try await server.platform.notices.searchNow() }

    /// Writes the counts of verifications.
    func flushUsage() async { await server.platform.usage.flush() }

    func deliveries(_ webhook: TestWebhook) async throws -> [JSONValue] {
        let answer = try await api.get("\(webhook.path)/deliveries", as: adminToken)
        try #require(answer.status == 200, "\(answer)")
        return try #require(answer["data"]?.array)
    }

    /// Waits until a webhook's newest delivery has some attempts, and returns the attempts.
    func attempts(_ webhook: TestWebhook, _ count: Int) async throws -> [JSONValue] {
        var found: [JSONValue] = []
        try await eventually("\(count) attempts") {
            found = try await deliveries(webhook).first?["attempts"]?.array ?? []
            return found.count >= count
        }
        return found
    }
}

extension SeenRequest {
    var json: JSONValue { (try? JSONValue(parsing: Array(body.utf8))) ?? .null }
    var type: String? { json["type"]?.string }
    var id: String? { header("webhook-id").first }
}
