package import AsyncHTTPClient
package import Endpoints
import HTTPTypes
package import JSON
package import NIOCore
import NIOHTTP1
import Server
package import Service
import TestSupport
package import Testing

/// A client that checks every answer of the native surface against the declaration of its endpoint.
package struct APIClient: Sendable {
    package let client: HTTPClient
    package let address: SocketAddress
    package let endpoints: [Endpoint<Principal>]
    /// Every answer so far.
    package let transcript = Transcript()

    package init(client: HTTPClient, address: SocketAddress, endpoints: [Endpoint<Principal>]) {
        self.client = client
        self.address = address
        self.endpoints = endpoints
    }

    package var url: String { "http://127.0.0.1:\(address.port ?? 0)" }

    /// Sends a request with an optional JSON or raw body, and with an optional credential.
    package func send(
        _ method: String,
        _ path: String,
        _ body: JSONValue? = nil,
        raw: String? = nil,
        as token: String?,
        headers: [(String, String)] = [],
        at location: SourceLocation = #_sourceLocation
    ) async throws -> Answer {
        var request = HTTPClientRequest(url: url + path)
        request.method = HTTPMethod(rawValue: method)
        if let token { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        if let text = raw ?? body?.text {
            request.body = .bytes(ByteBuffer(string: text))
            if !request.headers.contains(name: "Content-Type") {
                request.headers.add(name: "Content-Type", value: "application/json")
            }
        }
        let (response, buffer) = try await waiting(for: "an answer to \(method) \(path)") {
            let response = try await client.execute(request, timeout: .hours(1))
            return (response, try await response.body.collect(upTo: 8 << 20))
        }
        let fields = response.headers.map { ($0.name.lowercased(), $0.value) }
        let answer = Answer(
            status: Int(response.status.code),
            headers: Dictionary(fields, uniquingKeysWith: { "\($0), \($1)" }),
            text: String(buffer: buffer)
        )
        transcript.add(answer)
        check(answer, method, path, location)
        return answer
    }

    package func get(_ path: String, as token: String?, at location: SourceLocation = #_sourceLocation) async throws
        -> Answer
    {
        try await send("GET", path, as: token, at: location)
    }

    package func post(
        _ path: String,
        _ body: JSONValue? = nil,
        as token: String?,
        key: String? = nil,
        at location: SourceLocation = #_sourceLocation
    ) async throws -> Answer {
        let headers = key.map { [("Idempotency-Key", $0)] } ?? []
        return try await send("POST", path, body, as: token, headers: headers, at: location)
    }

    // MARK: Holding answers to their declaration

    private func check(_ answer: Answer, _ method: String, _ path: String, _ location: SourceLocation) {
        guard answer.status != 500 else {
            Issue.record("\(method) \(path): \(answer)", sourceLocation: location)
            return
        }
        let bare = String(path.prefix { $0 != "?" })
        // As the router does: a word of the path counts before a parameter.
        let matching =
            endpoints.filter { endpoint in
                endpoint.method == .only(HTTPRequest.Method(method) ?? .get) && Self.matches(endpoint.path.text, bare)
            }
            .min { $0.path.text.count(where: { $0 == "{" }) < $1.path.text.count(where: { $0 == "{" }) }
        guard let endpoint = matching else { return }
        let name = "\(endpoint.operationID): \(answer)"
        if answer.status >= 400 {
            #expect(answer.headers["content-type"] == "application/problem+json", "\(name)", sourceLocation: location)
            let kinds = endpoint.allProblems.filter { $0.status.code == answer.status }.map(\.rawValue)
            #expect(kinds.contains(answer.code ?? ""), "\(name) is not declared", sourceLocation: location)
            for member in ["type", "title", "detail"] {
                #expect(answer[member]?.string?.isEmpty == false, "\(name) lacks \(member)", sourceLocation: location)
            }
            #expect(answer["status"] == .integer(Int64(answer.status)), "\(name)", sourceLocation: location)
            #expect(answer["request_id"]?.string == answer.headers["x-request-id"], "\(name)", sourceLocation: location)
            return
        }
        guard let declared = endpoint.responses.first(where: { $0.status.code == answer.status }) else {
            Issue.record("\(name) is not declared", sourceLocation: location)
            return
        }
        guard let schema = declared.schema else {
            #expect(answer.text.isEmpty, "\(name)", sourceLocation: location)
            return
        }
        #expect(answer.headers["cache-control"] == "no-store", "\(name)", sourceLocation: location)
        let faults = schema.validate(answer.json)
        #expect(faults.isEmpty, "\(name): \(faults)", sourceLocation: location)
    }

    /// Returns true if a path matches a template.
    package static func matches(_ template: String, _ path: String) -> Bool {
        let parts = path.split(separator: "/")
        let pattern = template.split(separator: "/")
        return parts.count == pattern.count && zip(pattern, parts).allSatisfy { $0.hasPrefix("{") || $0 == $1 }
    }
}
