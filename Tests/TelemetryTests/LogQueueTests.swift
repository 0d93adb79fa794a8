import Glibc
import Locks
import Logging
import Telemetry
import TestSupport
import Testing

/// The log is a pipe, and nobody reads it any more: the service goes on.
@Suite(.hangLimit) struct LogQueueTests {
    /// Returns the ends of a pipe, of which the writer stays open.
    ///
    /// The thread of a queue can still write, and a number that is closed belongs to another test at the next moment.
    private static func pipe() throws -> (reader: CInt, writer: CInt) {
        var ends: [CInt] = [0, 0]
        try #require(Glibc.pipe(&ends) == 0)
        return (ends[0], ends[1])
    }

    private static func line(_ count: Int, _ letter: Character = "x") -> [UInt8] {
        Array("\(String(repeating: letter, count: count - 1))\n".utf8)
    }

    /// Reads what is there without waiting.
    private static func read(_ reader: CInt) -> [UInt8] {
        _ = fcntl(reader, F_SETFL, O_NONBLOCK)
        var received: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = Glibc.read(reader, &buffer, buffer.count)
            guard count > 0 else { return received }
            received.append(contentsOf: buffer[..<count])
        }
    }

    @Test func `lines of many writers reach a descriptor whole and in order`() async throws {
        let (reader, writer) = try Self.pipe()
        let queue = LogQueue(writer)
        await withTaskGroup { group in
            for letter in "abcdefghijklmnop" {
                group.addTask { for _ in 0..<2 { queue.write(Self.line(1500, letter)) } }
            }
        }
        await queue.end(within: .ample)
        let received = Self.read(reader)
        #expect(received.count == 32 * 1500)
        for line in received.split(separator: UInt8(ascii: "\n")) {
            #expect(Set(line).count == 1 && line.count == 1499)
        }
        close(reader)
    }

    // The fault: `mortise serve 2>&1 | less`, and the person scrolls back. A pipe holds 64 KiB.
    @Test func `a pipe that nobody reads makes no writer wait, and the lost lines are counted and reported`()
        async throws
    {
        let (reader, writer) = try Self.pipe()
        let queue = LogQueue(writer, capacity: 100_000)
        let observer = Observer()
        queue.setObserver(observer)
        // On this thread: a writer that waits would never come back.
        for _ in 0..<1000 { queue.write(Self.line(1000)) }
        let lost = observer.lost.withLock { $0 }
        // The pipe and the queue hold some 165 of them.
        #expect(lost >= 800 && lost < 1000)
        var received: [UInt8] = []
        try await eventually("the loss is reported") {
            received += Self.read(reader)
            if received.isEmpty { return false }
            // This line is lost, too, if the queue is still full.
            queue.write(Self.line(10, "y"))
            let reported = String(decoding: received, as: UTF8.self).matches(of: /lost ([0-9]+)\n/)
                .reduce(0) { $0 + (Int($1.1) ?? 0) }
            return reported >= lost && reported == observer.lost.withLock { $0 }
        }
        // The pipe can be full again.
        await queue.end(within: .milliseconds(50))
        close(reader)
    }

    @Test func `a queue whose pipe nobody reads does not keep the program from ending`() async throws {
        let (reader, writer) = try Self.pipe()
        let queue = LogQueue(writer)
        let observer = Observer()
        queue.setObserver(observer)
        // More than the pipe's 64 KiB, and less than the queue holds.
        for _ in 0..<100 { queue.write(Self.line(1000)) }
        #expect(observer.lost.withLock { $0 } == 0)
        let start = MachineClock.shared.now
        await queue.end(within: .milliseconds(50))
        #expect(start.duration(to: MachineClock.shared.now) < .seconds(10))
        // The pipe has no room for all lines. One read takes them before the queue's thread writes more.
        var buffer = [UInt8](repeating: 0, count: 200_000)
        let count = Glibc.read(reader, &buffer, buffer.count)
        #expect(count > 0 && count < 100 * 1000)
        // A queue that has ended takes no more.
        queue.write(Self.line(1000))
        #expect(observer.lost.withLock { $0 } == 1)
        close(reader)
    }

    @Test func `an outage writes a few lines a second for each cause, and says how many it left out`() {
        let collector = Collector()
        let now = Locked<Int64>(1_000_000)
        let output = JSONLogHandler.Output(sink: collector, format: .json, redact: { $0 }) { now.withLock { $0 } }
        let telemetry = Telemetry(output: output, level: .info)
        let logger = telemetry.logger(label: "test")
        let (reader, writer) = (try? Self.pipe()) ?? (0, 0)
        let queue = LogQueue(writer)
        telemetry.observe(queue)
        for number in 0..<100 {
            logger.error("the request failed", metadata: ["operation": "verify", "error": "refused \(number)"])
            logger.error("the request failed", metadata: ["operation": "createKey", "error": "refused \(number)"])
            logger.info("request", metadata: ["operation": "verify"])
        }
        func count(_ part: String) -> Int { collector.lines.withLock { $0.count { $0.contains(part) } } }
        #expect(count(#""error":"refused"#) == 10)
        // Lines below the level of a warning are all written.
        #expect(count(#""message":"request""#) == 100)
        now.withLock { $0 += 1_000_000 }
        logger.error("the request failed", metadata: ["operation": "verify", "error": "refused again"])
        #expect(count(#""error":"refused again""#) == 1)
        // Each database is a cause of its own.
        for number in 0..<6 {
            logger.warning("a workspace's database cannot be reached", metadata: ["database": "mortise_\(number)"])
        }
        #expect(count(#""database":"mortise_"#) == 6)
        // Each fault of a configuration is, too.
        for number in 0..<6 {
            let fault = "The option \(number) is unknown."
            logger.warning("the configuration of a gateway is wrong", metadata: ["fault": "\(fault)"])
        }
        #expect(count(#""fault":"The option"#) == 6)
        close(reader)
    }

    private final class Observer: LogQueueObserver {
        let lost = Locked(0)
        func linesWereLost(_ count: Int) { lost.withLock { $0 += count } }
        func secondPassed() {}
        func line(lost: Int) -> [UInt8] { Array("lost \(lost)\n".utf8) }
    }

    private final class Collector: LogSink {
        let lines = Locked<[String]>([])
        func write(_ line: [UInt8]) { lines.withLock { $0.append(String(decoding: line, as: UTF8.self)) } }
    }
}
