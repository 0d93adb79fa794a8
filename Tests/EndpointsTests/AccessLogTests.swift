import Endpoints
import HTTPTypes
import JSON
import Server
import ServerTestSupport
import TestSupport
import Testing

@Suite(.hangLimit) struct AccessLogTests {
    private static let rotate = "/v1/workspaces/w/keys/018f0000-0000-7000-8000-000000000000/rotate"

    private func lines(_ accessLog: EndpointSettings.AccessLog) async throws -> [JSONValue] {
        let log = LineCollector()
        try await withSampleServer(EndpointSettings(accessLog: accessLog), log: log) { client async throws in
            _ = try await client.send(.get, "/v1/workspaces/secret/keys?query=secret", [.xRequestID: "r-1"])
            _ = try await client.send(.post, Self.rotate)
            _ = try await client.send(.post, "/v1/fails")
        }
        return log.lines.compactMap { try? JSONValue(parsing: $0.utf8) }.filter { $0["message"] == "request" }
    }

    @Test func `a request has one log line, with the path template instead of its path`() async throws {
        let line = try #require(try await lines(.declared).first)
        #expect(line["operation"] == "listKeys")
        #expect(line["method"] == "GET")
        #expect(line["path"] == "/v1/workspaces/{workspace}/keys")
        #expect(line["status"] == 200)
        #expect(line["request_id"] == "r-1")
        #expect(line["remote_address"]?.string?.isEmpty == false)
        #expect(line["duration_us"]?.number != nil)
        #expect(!line.text.contains("secret"))
    }

    @Test(
        arguments: [
            (.declared, ["listKeys", "fails"]), (.all, ["listKeys", "rotateKey", "fails"]), (.failures, ["fails"]),
        ] as [(EndpointSettings.AccessLog, [JSONValue])]
    )
    func `endpoints and settings determine the logged requests`(
        accessLog: EndpointSettings.AccessLog,
        operations: [JSONValue]
    )
        async throws
    {
        #expect(try await lines(accessLog).compactMap { $0["operation"] } == operations)
    }
}
