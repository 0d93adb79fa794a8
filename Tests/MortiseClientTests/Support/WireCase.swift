import HTTPTestSupport
import MortiseClient
import Testing

/// A call of the client, what it must put on the wire, and what is answered.
struct WireCase: Sendable, CustomTestStringConvertible {
    let request: String
    let body: String
    let answer: String
    let call: @Sendable (Mortise) async throws -> Bool

    /// Describes a call, which tells whether it has read the answer rightly.
    init(
        _ request: String,
        _ body: String = "",
        answer: String = "",
        _ call: @escaping @Sendable (Mortise) async throws -> Bool
    ) {
        self.request = request
        self.body = body
        self.answer = answer
        self.call = call
    }

    var testDescription: String { request }

    /// Makes the call against a server that answers as the case says.
    func check() async throws {
        let text = answer
        try await Mortise.with({ _ in text.isEmpty ? .answer(204, "") : .json(text) }) {
            client,
            server,
            _ async throws in
            #expect(try await call(client))
            #expect(server.requests.map { "\($0.method) \($0.uri)" } == [request])
            #expect(server.requests.map(\.body) == [body])
            let isBoltz = request.contains(" /compute/")
            let credential = isBoltz ? [Mortise.token] : ["Bearer \(Mortise.token)"]
            #expect(server.requests.first?.header(isBoltz ? "x-api-key" : "authorization") == credential)
        }
    }
}
