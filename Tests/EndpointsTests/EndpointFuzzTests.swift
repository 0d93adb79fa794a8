import HTTPTypes
import JSON
import NIOCore
import Server
import ServerTestSupport
import TestSupport
import Testing

@Suite(.hangLimit) struct EndpointFuzzTests {
    /// SplitMix64, which produces the same numbers in each run.
    private struct Generator: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var value = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
            value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
            return value ^ (value >> 31)
        }
    }

    // The worst answer to any input is a 4xx. A 5xx or a closed connection can be used for damage.
    @Test func `no input gets a 5xx answer or an error in the log`() async throws {
        let log = LineCollector()
        try await withSampleServer(log: log) { client async throws in
            var generator = Generator(state: 4)
            let pieces = [
                "{", "}", "[", "]", ":", ",", "\"", "\\u0000", "\\ud800", "name", "scopes", "metadata", "1e999", "-0",
                "null",
                "true", "é", "\u{0}", " ",
            ]
            let targets = [
                "limit", "cursor", "query", "=", "&", "%", "%00", "%FF", "+", "1", "-", "a", "?", "%2F", "[]",
            ]
            for _ in 0..<1500 {
                let body = (0..<Int.random(in: 0..<12, using: &generator))
                    .map { _ in
                        pieces[Int.random(in: 0..<pieces.count, using: &generator)]
                    }
                    .joined()
                let query = (0..<Int.random(in: 0..<8, using: &generator))
                    .map { _ in
                        targets[Int.random(in: 0..<targets.count, using: &generator)]
                    }
                    .joined()
                let made = try await client.send(.post, "/v1/workspaces/w/keys?\(query)", body)
                #expect((200..<500).contains(made.status), "\(query) \(body)")
                let listed = try await client.send(.get, "/v1/workspaces/\(query)/keys?\(query)")
                #expect((200..<500).contains(listed.status), "\(query)")
            }
        }
        #expect(log.lines.allSatisfy { !$0.contains(#""level":"error""#) })
    }
}
