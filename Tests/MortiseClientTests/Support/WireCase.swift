import HTTPTestSupport
import MortiseClient
import Testing

/// A call of the client with its request and response.
struct WireCase: Sendable, CustomTestStringConvertible {
    let request: String
    let body: String
    let answer: String
    let call: @Sendable (Mortise) async throws -> Bool

    /// Creates a case.
    ///
    /// - Parameters:
    ///   - request: The method and path of the request.
    ///   - body: The body of the request.
    ///   - answer: The body of the response, or an empty text for a response without content.
    ///   - call: Makes the call, and returns true if the call read the response correctly.
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

    /// Makes the call against a server that responds as the case says.
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
