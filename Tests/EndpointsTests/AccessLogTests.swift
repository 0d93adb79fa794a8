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

    // An operator looks for the cause of a 500, of which the client learns nothing.
    @Test func `an answer of 500 has one line, an error with its cause, and others have none`() async throws {
        let log = LineCollector()
        try await withSampleServer(log: log) { client async throws in
            _ = try await client.send(.post, "/v1/fails")
            _ = try await client.send(.get, "/v1/workspaces/w/keys")
        }
        let lines = log.lines.compactMap { try? JSONValue(parsing: $0.utf8) }
        let faults = lines.filter { $0["level"] == "error" }
        #expect(faults.count == 1)
        #expect(faults.first?["message"] == "request" && faults.first?["status"] == 500)
        #expect(faults.first?["error"]?.string?.isEmpty == false && faults.first?["code"] == "internal_error")
        let others = lines.filter { $0["level"] != "error" && $0["message"] == "request" }
        #expect(others.count == 1 && others.first?["error"] == nil)
    }

    // An outage fails every request, and the program is not at fault: its cause is one error of its own.
    @Test func `an answer of 503 is a warning with its code`() async throws {
        let log = LineCollector()
        try await withSampleServer(EndpointSettings(clock: ImpatientClock()), log: log) { client async throws in
            _ = try await client.send(.post, "/v1/waits")
        }
        let lines = log.lines.compactMap { try? JSONValue(parsing: $0.utf8) }.filter { $0["message"] == "request" }
        #expect(lines.count == 1 && lines.first?["level"] == "warning" && lines.first?["status"] == 503)
        #expect(lines.first?["code"] == "deadline_exceeded")
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
