import Endpoints
import FoundationEssentials
import Glibc
import JSON
import KeyStore
import Keys
import Server
import TestSupport
import Testing

@testable import Notices

/// The attack: a small request that takes the server seconds, because a loop over the input copies what it has read so far.
@Suite(.hangLimit, .serialized) struct LinearTimeTests {
    private static let schema = QuerySchema([
        QueryParameter("query", .string(max: 100), "Text.", repeated: true),
        QueryParameter("limit", .integer(1...100), "Number."),
    ])

    /// Inputs by their size, each with what reads it.
    private static let readers: [(String, @Sendable (Int) -> @Sendable () -> Void)] = [
        (
            // A tenant's descriptions kept the relay of the events of all organizations.
            "a text that a webhook masks",
            { size in
                var changes = EventChanges()
                changes.add("description", String(repeating: "a", count: size) + " @")
                let event = EventRecord(
                    .updated,
                    id: UUID(),
                    keyID: UUID(),
                    keyName: "a",
                    changes: changes,
                    by: .system,
                    at: Timestamp(microsecondsSinceUnixEpoch: 0)
                )
                return { _ = EventBody(event, organization: UUID(), key: nil, sequence: 7).text }
            }
        ),
        (
            "a JSON array",
            { size in
                let text = Array("[\(String(repeating: "1,", count: size))1]".utf8)
                return { _ = try? JSONValue(parsing: text, limits: JSONLimits(maximumBytes: 1 << 28)) }
            }
        ),
        (
            "a JSON object",
            { size in
                let text = Array("{\((0..<size).map { "\"k\($0)\":1" }.joined(separator: ","))}".utf8)
                return { _ = try? JSONValue(parsing: text, limits: JSONLimits(maximumBytes: 1 << 28)) }
            }
        ),
        (
            "a JSON string with escapes",
            { size in
                let text = Array("\"\(String(repeating: #"\\n"#, count: size))\"".utf8)
                return { _ = try? JSONValue(parsing: text, limits: JSONLimits(maximumBytes: 1 << 28)) }
            }
        ),
        (
            "unknown members",
            { size in
                let members = (0..<size).map { ("k\($0)", JSONValue.integer(1)) }
                let text = JSONValue.object(JSONObject(members.prefix(1))).text
                let json = try? JSONValue(
                    parsing: Array("{\(members.map { "\"\($0.0)\":1" }.joined(separator: ","))}".utf8),
                    limits: JSONLimits(maximumBytes: 1 << 28)
                )
                let schema = Schema.object([.optional("name", .string(max: 10))])
                return { _ = text.isEmpty ? [] : schema.validate(json ?? .null) }
            }
        ),
        (
            "a repeated parameter",
            { size in
                let text = String(repeating: "query=&", count: size)
                return { _ = schema.parse(text) }
            }
        ),
        (
            "separators",
            { size in
                let text = String(repeating: "&", count: size)
                return { _ = schema.parse(text) }
            }
        ),
        (
            "escapes in a parameter",
            { size in
                let text = "query=" + String(repeating: "%41", count: size)
                return { _ = schema.parse(text) }
            }
        ),
    ]

    /// Returns the time for which this thread has had a processor.
    private static func processorTime() -> Duration {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }

    @Test(arguments: readers.indices)
    func `twice the input takes at most about twice the time`(_ index: Int) {
        let (name, reader) = Self.readers[index]
        /// The shortest processor time of several runs, which other work on the machine disturbs least.
        func time(_ size: Int) -> Duration {
            let read = reader(size)
            return (0..<5)
                .map { _ in
                    let start = Self.processorTime()
                    read()
                    return Self.processorTime() - start
                }
                .min() ?? .zero
        }
        let (one, eight) = (time(4000), time(32_000))
        // Eight times the input: linear is 8, quadratic is 64.
        #expect(eight < max(one, .microseconds(50)) * 32, "\(name): \(one) became \(eight)")
    }

    @Test func `a query that is too long or has too many parameters is a fault`() {
        let long = Self.schema.parse("query=" + String(repeating: "a", count: QuerySchema.maximumBytes))
        #expect(long.faults.map(\.detail) == ["the query must have at most 8192 bytes"])
        let many = Self.schema.parse(String(repeating: "query=&", count: QuerySchema.maximumCount + 1))
        #expect(many.faults.map(\.detail) == ["the query must have at most 100 parameters"])
        #expect(Self.schema.parse(String(repeating: "query=&", count: QuerySchema.maximumCount)).faults == [])
        // An operation that reads no query does not mind.
        #expect(QuerySchema.ignored.parse(String(repeating: "query=&", count: 10_000)).faults == [])
    }
}
