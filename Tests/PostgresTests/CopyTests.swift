import Postgres
import TestSupport
import Testing

/// COPY … FROM STDIN copies all rows or none.
@Suite(.hangLimit) struct CopyTests {
    private struct Refusal: Error {}
    private static let copy = "COPY t FROM STDIN"

    private func withTable(_ body: (Fixture, PostgresConnection) async throws -> Void) async throws {
        try await withFixture { fixture in
            let connection = try await fixture.connect()
            try await connection.script("CREATE TABLE t (a int, b text)")
            try await body(fixture, connection)
        }
    }

    private func expect(_ fixture: Fixture, count: Int, sourceLocation: SourceLocation = #_sourceLocation) async throws
    {
        let found = try await fixture.connect().number("SELECT count(*) FROM t")
        #expect(found == count, sourceLocation: sourceLocation)
    }

    /// A source of chunks that a closure provides, one at a time.
    private struct Source: AsyncSequence {
        let next: @Sendable (Int) async throws -> [UInt8]?

        struct AsyncIterator: AsyncIteratorProtocol {
            let next: @Sendable (Int) async throws -> [UInt8]?
            var index = 0

            mutating func next() async throws -> [UInt8]? {
                defer { index += 1 }
                return try await next(index)
            }
        }

        func makeAsyncIterator() -> AsyncIterator { AsyncIterator(next: next) }
    }

    private static func row(_ number: Int) -> [UInt8] { Array("\(number)\trow \(number)\n".utf8) }

    @Test func `chunks of all sizes, cut anywhere, arrive as one text`() async throws {
        try await withTable { fixture, connection in
            let text = (0..<200_000).flatMap(Self.row)
            let sizes = [1, 2, 3, 0, 7, 100, 5_000_000, 65_536, 1, 1 << 30]
            let cuts = sizes.reduce(into: [0]) { $0.append(min(text.count, $0[$0.count - 1] + $1)) }
            let source = Source { index in index + 1 < cuts.count ? Array(text[cuts[index]..<cuts[index + 1]]) : nil }
            let count = try await connection.copyIn(Self.copy, source, deadline: .ample)
            #expect(count == 200_000)
            let sum = try await connection.number("SELECT sum(a) FROM t WHERE b = 'row ' || a")
            #expect(sum == 199_999 * 100_000)
        }
    }

    @Test func `a COPY accepts ten thousand small chunks, and no chunk at all`() async throws {
        try await withTable { fixture, connection in
            let count = try await connection.copyIn(Self.copy, Source { $0 < 10_000 ? Self.row($0) : nil })
            #expect(count == 10_000)
            let none = try await connection.copyIn(Self.copy, Source { _ in nil })
            #expect(none == 0)
            try await expect(fixture, count: 10_000)
        }
    }

    @Test func `an error in the data fails the COPY, no row stays, and the connection stays usable`() async throws {
        try await withTable { fixture, connection in
            let error = await failure {
                try await connection.copyIn(
                    Self.copy,
                    Source { $0 < 1000 ? ($0 == 500 ? Array("hunter2\n".utf8) : Self.row($0)) : nil }
                )
            }
            #expect(error?.sqlState?.rawValue == "22P02" || error?.sqlState?.rawValue == "22P04")
            #expect(error.map { !"\($0)".contains("hunter2") } == true)
            try await expect(fixture, count: 0)
            #expect(connection.isUsable)
            _ = try await connection.copyIn(Self.copy, Source { $0 < 1 ? Self.row($0) : nil })
            try await expect(fixture, count: 1)
        }
    }

    @Test func `if the source of a COPY throws, no row stays, its error is thrown, and the connection stays usable`()
        async throws
    {
        try await withTable { fixture, connection in
            await #expect(throws: Refusal.self) {
                try await connection.copyIn(
                    Self.copy,
                    Source {
                        guard $0 < 1000 else { throw Refusal() }
                        return Self.row($0)
                    }
                )
            }
            try await expect(fixture, count: 0)
            let one = try await connection.number("SELECT 1::int8")
            #expect(one == 1)
        }
    }

    @Test func `if the task of a COPY is cancelled, no row stays, and the connection stays usable`() async throws {
        try await withTable { fixture, connection in
            let (reached, signal) = AsyncStream<Void>.makeStream()
            let task = Task {
                try await connection.copyIn(
                    Self.copy,
                    Source { index in
                        if index < 100 { return Self.row(index) }
                        signal.finish()
                        // The sleep ends with the task, with an error of its own.
                        try await Task.sleep(for: .seconds(600))
                        return nil
                    }
                )
            }
            for await _ in reached {}
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            try await expect(fixture, count: 0)
            let one = try await connection.number("SELECT 1::int8")
            #expect(one == 1)
        }
    }

    @Test func `a COPY that cannot begin fails with the reason, and the connection stays usable`() async throws {
        try await withTable { fixture, connection in
            let error = await failure { try await connection.copyIn("COPY missing FROM STDIN", Source { _ in nil }) }
            #expect(error?.sqlState == .undefinedTable)
            let one = try await connection.number("SELECT 1::int8")
            #expect(one == 1)
        }
    }

    @Test func `a COPY is rolled back with its transaction`() async throws {
        try await withTable { fixture, connection in
            await #expect(throws: Refusal.self) {
                try await connection.transaction { connection in
                    try await connection.copyIn(Self.copy, Source { $0 < 10 ? Self.row($0) : nil })
                    throw Refusal()
                }
            }
            try await expect(fixture, count: 0)
        }
    }

    @Test func `statements that are submitted during a COPY are answered after it`() async throws {
        try await withTable { fixture, connection in
            try await withThrowingTaskGroup(of: Void.self) { group in
                let (begun, signal) = AsyncStream<Void>.makeStream()
                let (asked, go) = AsyncStream<Void>.makeStream()
                group.addTask {
                    try await connection.copyIn(
                        Self.copy,
                        Source { index in
                            if index == 1 {
                                signal.finish()
                                for await _ in asked {}
                            }
                            return index < 100 ? Self.row(index) : nil
                        }
                    )
                }
                for await _ in begun {}
                for _ in 0..<20 {
                    group.addTask {
                        let count = try await connection.number("SELECT count(*) FROM t")
                        #expect(count == 100)
                    }
                }
                go.finish()
                try await group.waitForAll()
            }
        }
    }

    @Test func `if the connection breaks in the middle of a COPY, the caller gets an error, and no row stays`()
        async throws
    {
        try await withTable { fixture, connection in
            let process = connection.backendProcessID
            let error = await failure {
                try await connection.copyIn(
                    Self.copy,
                    Source { index in
                        if index == 1000 {
                            try await administer("SELECT pg_terminate_backend(\(process), 10000)")
                        }
                        return index < 2_000_000 ? Self.row(index) : nil
                    }
                )
            }
            #expect(error?.code == .connectionLost)
            #expect(!connection.isUsable)
            try await expect(fixture, count: 0)
        }
    }

    @Test func `a COPY to a server that reads no more data fails at the deadline, and the connection is closed`()
        async throws
    {
        try await withTable { fixture, connection in
            let process = connection.backendProcessID
            // The row lock makes the server stop reading in the middle of the data.
            try await connection.script("CREATE TABLE u (a int PRIMARY KEY, b text)")
            let blocker = try await fixture.connect()
            try await blocker.script("BEGIN; INSERT INTO u VALUES (5000, '')")
            let row = [UInt8](repeating: UInt8(ascii: "x"), count: 10_000)
            let error = await failure {
                try await connection.copyIn(
                    "COPY u FROM STDIN",
                    Source { Array("\($0)\t".utf8) + row + [10] },
                    deadline: .milliseconds(500).onThisMachine
                )
            }
            #expect(error?.code == .deadlineExceeded)
            #expect(!connection.isUsable)
            try await administer("SELECT pg_terminate_backend(\(process))")
        }
    }
}
