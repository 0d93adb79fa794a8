import FoundationEssentials
package import JSON
import Keys
import Server
package import Testing

/// Helpers for tests of the Boltz surface.
extension ServerHarness {
    package static let boltzKeys = "/compute/v1/admin/api-keys"
    package static let boltzWorkspaces = "/compute/v1/admin/workspaces"

    /// Sends a request with an API key or without one, and checks that a refusal has Boltz's error format.
    package func boltz(
        _ method: String,
        _ path: String,
        _ body: JSONValue? = nil,
        raw: String? = nil,
        as token: String?,
        headers: [(String, String)] = [],
        at location: SourceLocation = #_sourceLocation
    ) async throws -> Answer {
        let credential = token.map { [("x-api-key", $0)] } ?? []
        let answer = try await api.send(
            method,
            path,
            body,
            raw: raw,
            as: nil,
            headers: credential + headers,
            at: location
        )
        let name = "\(method) \(path): \(answer)"
        #expect(answer.headers["content-type"] == "application/json", "\(name)", sourceLocation: location)
        #expect(answer.headers["cache-control"] == "no-store", "\(name)", sourceLocation: location)
        #expect(answer.headers["x-request-id"] != nil, "\(name)", sourceLocation: location)
        guard answer.status >= 400 else {
            #expect(answer.status == 200, "\(name)", sourceLocation: location)
            return answer
        }
        let members = Set(answer.json.object?.members.map(\.name) ?? [])
        #expect(members.isSuperset(of: ["code", "message"]), "\(name)", sourceLocation: location)
        #expect(members.isSubset(of: ["code", "message", "details"]), "\(name)", sourceLocation: location)
        #expect(answer["message"]?.string?.isEmpty == false, "\(name)", sourceLocation: location)
        let isFinal = answer.headers["x-should-retry"] == "false"
        #expect(isFinal == (answer.headers["retry-after"] == nil), "\(name)", sourceLocation: location)
        let isChallenged = answer.headers["www-authenticate"] != nil
        #expect(isChallenged == (answer.status == 401), "\(name)", sourceLocation: location)
        return answer
    }

    /// Creates a key through the Boltz surface.
    package func makeBoltzKey(
        _ settings: JSONValue = [:],
        at location: SourceLocation = #_sourceLocation
    ) async throws -> (id: String, token: String) {
        var body = settings.object ?? JSONObject()
        body["name"] = body["name"] ?? "key"
        let answer = try await boltz("POST", Self.boltzKeys, .object(body), as: adminToken, at: location)
        try #require(answer.status == 200, "\(answer)", sourceLocation: location)
        return (try answer.string("key_details", "id"), try answer.string("key"))
    }

    /// Returns a key of the list by its id.
    package func boltzKey(_ id: String, at location: SourceLocation = #_sourceLocation) async throws -> JSONValue {
        let page = try await boltz("GET", Self.boltzKeys, as: adminToken, at: location)
        return try #require(page["data"]?.array?.first { $0["id"]?.string == id }, sourceLocation: location)
    }

    /// Returns the native id of a Boltz id: its last 32 digits, with hyphens.
    package static func nativeID(_ id: String) -> String {
        var text = ""
        for (index, character) in id.suffix(32).enumerated() {
            if [8, 12, 16, 20].contains(index) { text.append("-") }
            text.append(character)
        }
        return text
    }

    /// Returns the Boltz id of a workspace.
    package static func boltzWorkspace(_ nativeID: String) -> String { "ws_" + nativeID.filter { $0 != "-" } }
}
