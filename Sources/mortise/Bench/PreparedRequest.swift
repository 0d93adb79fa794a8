import FoundationEssentials
import GatewayAPI
import JSON
import MortiseClient
package import NIOCore

/// A request of the load tool as bytes, with the answer that is right.
package struct PreparedRequest: Sendable {
    /// The kind of its token.
    let kind: BenchMix.Kind
    /// The whole request.
    let bytes: ByteBuffer
    /// The right status.
    let status: Int
    /// A part of the right body.
    ///
    /// Empty if the status says it all.
    let part: [UInt8]

    /// Creates a request.
    ///
    /// - Parameters:
    ///   - kind: The kind of its token.
    ///   - bytes: The whole request.
    ///   - status: The right status.
    ///   - part: A part of the right body. Empty if the status says it all.
    package init(kind: BenchMix.Kind, bytes: ByteBuffer, status: Int, part: [UInt8] = []) {
        self.kind = kind
        self.bytes = bytes
        self.status = status
        self.part = part
    }

    /// Returns true if an answer is right.
    func accepts(_ answer: BenchAnswer) -> Bool {
        guard answer.status == status else { return false }
        guard !part.isEmpty else { return true }
        let body = answer.body.readableBytesView
        var start = body.startIndex
        while body.endIndex - start >= part.count {
            if body[start...].starts(with: part) { return true }
            start += 1
        }
        return false
    }
}

/// The call that the load tool makes.
struct BenchCall: Sendable {
    /// The kind of the call.
    enum Kind: Sendable {
        /// `POST /v1/verify`, with an admin key.
        case verify
        /// `GET /v1/authorize` on the main listener, with an admin key.
        case authorize
        /// `GET /v1/authorize` on a gateway listener, without a credential.
        case gateway
    }

    let kind: Kind
    /// The text before the path, if the server's URL has one.
    let prefix: String
    /// The value of `Host`.
    let host: String

    /// The call in words.
    var text: String { kind == .verify ? "POST /v1/verify" : "GET /v1/authorize" }

    /// Returns the request that presents a token.
    func request(_ token: BenchToken, of stage: BenchStage) -> PreparedRequest {
        switch kind {
        case .verify:
            let body = JSONValue.object(JSONObject([("token", .string(token.text.reveal()))])).text
            let credential = "Authorization: Bearer \(stage.adminToken.reveal())\r\n"
            let fields = "\(credential)Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n"
            return PreparedRequest(
                kind: token.kind,
                bytes: bytes("POST", "/v1/verify", fields, body),
                status: 200,
                part: Array("\"code\":\"\(token.kind.code)\"".utf8)
            )
        case .authorize, .gateway:
            let credential = kind == .authorize ? "X-Mortise-Key: \(stage.adminToken.reveal())\r\n" : ""
            let path = "/v1/authorize/organizations/\(stage.organizationID)/bench"
            return PreparedRequest(
                kind: token.kind,
                bytes: bytes("GET", path, "\(credential)X-API-Key: \(token.text.reveal())\r\n", ""),
                status: token.kind == .valid ? 200 : 401
            )
        }
    }

    private func bytes(_ method: String, _ path: String, _ fields: String, _ body: String) -> ByteBuffer {
        ByteBuffer(string: "\(method) \(prefix)\(path) HTTP/1.1\r\nHost: \(host)\r\n\(fields)\r\n\(body)")
    }
}

/// A token that the load tool presents.
struct BenchToken: Sendable {
    let kind: BenchMix.Kind
    let text: SecretToken
}
