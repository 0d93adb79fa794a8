import Glibc
import JSON
import Logging
import Server
import ServerTestSupport
import Telemetry
import Testing

@Suite struct JSONLogHandlerTests {
    private let log = LineCollector()

    private func logger(_ format: LogFormat = .json, level: Logger.Level = .trace) -> Logger {
        let output = JSONLogHandler.Output(
            sink: log,
            format: format,
            redact: { String($0.replacing("hunter2", with: "[redacted]")) },
            now: { 1_893_499_200_123_456 }
        )
        return Logger(label: "mortise.test") { JSONLogHandler(label: $0, level: level, output: output) }
    }

    @Test func `an event is one JSON object on one line`() throws {
        var logger = logger()
        logger[metadataKey: "request_id"] = "r-1"
        logger.warning(
            "two\nlines",
            metadata: ["n": "\(7)", "count": .stringConvertible(7), "deep": ["b": ["c": "d"], "a": ["x", "y"]]]
        )
        #expect(
            log.lines == [
                #"{"ts":"2030-01-01T12:00:00.123456Z","level":"warning","logger":"mortise.test","message":"two\nlines","#
                    + #""count":7,"deep.a":["x","y"],"deep.b.c":"d","n":"7","request_id":"r-1"}"# + "\n"
            ]
        )
    }

    @Test func `metadata cannot replace the members of the line`() throws {
        logger().info("m", metadata: ["level": "x", "ts": "y", "message": "z"])
        let line = try JSONValue(parsing: log.lines[0].utf8)
        #expect(line["level"] == "info")
        #expect(line["metadata.level"] == "x")
    }

    // A password can reach a log in an error's text or as a key of a dictionary.
    @Test func `every text passes through the redactor`() {
        for format in LogFormat.allCases {
            logger(format)
                .error(
                    "hunter2",
                    metadata: [
                        "hunter2": "hunter2", "a": ["hunter2"], "d": ["hunter2": "hunter2"],
                        "c": .stringConvertible(Loud()),
                    ]
                )
            logger(format).error("m", error: Loud())
        }
        #expect(log.lines.count == 4)
        #expect(!log.lines.joined().contains("hunter2"))
    }

    @Test func `the size of a line is bounded`() throws {
        let long = String(repeating: "é", count: 100_000)
        logger().info("\(long)", metadata: Dictionary(uniqueKeysWithValues: (0..<500).map { ("k\($0)", "\(long)") }))
        #expect(log.lines[0].utf8.count < 70 * 8300)
        let line = try JSONValue(parsing: log.lines[0].utf8, limits: JSONLimits(maximumBytes: 1 << 20))
        #expect(line.object?.count == 68)
        #expect(line["message"]?.string?.hasSuffix("…") == true)
    }

    // A client's text in a log must not look like another line or control the reader's terminal.
    @Test func `a client's text cannot forge lines of the text format`() {
        logger(.text).info("a\nFAKE \u{1B}[2J\u{9B}", metadata: ["k": "v\r\nw"])
        #expect(
            log.lines == [
                "2030-01-01T12:00:00.123456Z INFO mortise.test: a\\nFAKE \\u{1B}[2J\\u{009B} k=v\\r\\nw\n"
            ]
        )
    }

    @Test func `a message below the logger's level is not written`() {
        logger(level: .warning).info("no")
        #expect(log.lines.isEmpty)
    }
}

/// A value whose description contains a secret.
private struct Loud: Error, CustomStringConvertible {
    let description = "password=hunter2"
}
