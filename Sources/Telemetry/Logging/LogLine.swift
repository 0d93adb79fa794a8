import JSON
import Logging

/// One log event, ready to be written.
struct LogLine {
    let time: String
    let level: Logger.Level
    let logger: String
    let message: String
    let fields: [(name: String, value: JSONValue)]

    /// Returns a JSON object and a line feed.
    ///
    /// JSON escapes line feeds, so that no message can forge a line.
    func json() -> [UInt8] {
        var writer = JSONWriter(capacity: 512)
        writer.object {
            $0.member("ts", time)
            $0.member("level", level.rawValue)
            $0.member("logger", logger)
            $0.member("message", message)
            for field in fields { $0.member(field.name, field.value) }
        }
        return writer.bytes + [UInt8(ascii: "\n")]
    }

    /// Returns a line for people.
    ///
    /// Control characters are escaped, so that no message can forge a line or control a terminal.
    func text() -> [UInt8] {
        var line = "\(time) \(level.rawValue.uppercased()) \(logger): \(Self.printable(message))"
        for field in fields {
            let value = field.value.string ?? field.value.text
            line += " \(Self.printable(field.name))=\(Self.printable(value))"
        }
        return Array(line.utf8) + [UInt8(ascii: "\n")]
    }

    private static func printable(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            let isControl = scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
            result.append(
                contentsOf: isControl
                    ? scalar.escaped(asASCII: true).unicodeScalars : String.UnicodeScalarView([scalar])
            )
        }
        return String(result)
    }
}
