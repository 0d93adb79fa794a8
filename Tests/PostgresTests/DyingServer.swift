import Postgres
import TestSupport

/// A server that answers the statements of one client with success, and COMMIT with an error and the end of the session.
///
/// A real server does this when the disk of its write-ahead log fails, which no test can time.
struct DyingServer: Sendable {
    private let listener: SilentListener
    private let severity: String
    private let code: String

    init(saying severity: String, _ code: String) throws {
        listener = try SilentListener()
        self.severity = severity
        self.code = code
    }

    func configuration() throws -> PostgresConfiguration {
        var configuration = try listener.configuration()
        configuration.connectDeadline = .ample
        configuration.queryDeadline = .ample
        return configuration
    }

    /// Serves a client until it has sent COMMIT.
    func serve() async throws {
        try await listener.accept()
        var dialogue = Dialogue(severity: severity, code: code)
        try await eventually("the client commits") {
            listener.exchange { dialogue.answer(to: $0) }
            return dialogue.isOver
        }
        listener.hangUp()
    }

    /// The messages of one connection (PostgreSQL manual, section 55.7).
    private struct Dialogue {
        let severity: String
        let code: String
        var isOver = false
        private var bytes: [UInt8] = []
        private var hasStarted = false
        private var statement = ""

        init(severity: String, code: String) {
            self.severity = severity
            self.code = code
        }

        mutating func answer(to more: [UInt8]) -> [UInt8] {
            bytes += more
            var answer: [UInt8] = []
            while !isOver, let (type, body) = next() { answer += reply(to: type, body) }
            return answer
        }

        /// Returns the next message if it is complete.
        ///
        /// The first one has no type.
        private mutating func next() -> (type: Character, body: [UInt8])? {
            let head = hasStarted ? 1 : 0
            guard bytes.count >= head + 4 else { return nil }
            let length = bytes[head..<(head + 4)].reduce(0) { $0 << 8 | Int($1) }
            guard bytes.count >= head + length else { return nil }
            let type: Character = hasStarted ? Character(UnicodeScalar(bytes[0])) : "!"
            let body = Array(bytes[(head + 4)..<(head + length)])
            bytes.removeFirst(head + length)
            hasStarted = true
            return (type, body)
        }

        private mutating func reply(to type: Character, _ body: [UInt8]) -> [UInt8] {
            switch type {
            case "!": return Self.message("R", [0, 0, 0, 0]) + ready
            case "P":
                let texts = body.split(separator: 0, omittingEmptySubsequences: false)
                statement = String(decoding: texts[1], as: UTF8.self)
                return Self.message("1", [])
            case "B": return Self.message("2", [])
            case "D": return Self.message("n", [])
            case "E":
                isOver = statement == "COMMIT"
                return isOver ? lastWords : Self.message("C", Array(statement.utf8) + [0])
            case "S": return ready
            default: return []
            }
        }

        private var ready: [UInt8] { Self.message("Z", Array((statement.isEmpty ? "I" : "T").utf8)) }

        private var lastWords: [UInt8] {
            let fields = ["S\(severity)", "V\(severity)", "C\(code)", "Mthe disk has failed"]
            return Self.message("E", fields.flatMap { Array($0.utf8) + [0] } + [0])
        }

        private static func message(_ type: Character, _ body: [UInt8]) -> [UInt8] {
            let length = UInt32(body.count + 4)
            return Array(String(type).utf8) + (0..<4).map { UInt8(truncatingIfNeeded: length >> (24 - 8 * $0)) } + body
        }
    }
}
