import JSON
import MortiseClient

/// JSON that a user gives to a command.
struct JSONInput {
    /// The subject of a message about the JSON, such as `The metadata`.
    let source: String
    let value: JSONValue

    /// Parses the JSON.
    ///
    /// - Parameters:
    ///   - bytes: The text.
    ///   - limit: The maximum size in bytes.
    ///   - source: The subject of the error message.
    /// - Throws: `CommandFailure` of kind `usage` if the text is not JSON. The message does not quote the text.
    init(_ bytes: [UInt8], limit: Int, source: String) throws(CommandFailure) {
        self.source = source
        do throws(JSONError) {
            value = try JSONValue(parsing: bytes, limits: JSONLimits(maximumBytes: limit))
        } catch {
            throw .usage("\(source) is \(error).")
        }
    }

    /// Returns the members of the JSON object.
    ///
    /// - Throws: `CommandFailure` of kind `usage` if the JSON is not an object, or if a number in it would lose digits.
    func members() throws(CommandFailure) -> [String: JSONContent] {
        guard case .object(let members) = JSONContent(value) else { throw .usage("\(source) must be a JSON object.") }
        if let number = value.inexactNumber {
            throw .usage(
                "\(source) holds the number \(number.text), which has more digits than a 64-bit number can hold.",
                details: ["Give it as a string."]
            )
        }
        return members
    }
}

extension JSONValue {
    /// The first number that is neither a 64-bit integer nor exactly a `Double` in its shortest decimal form.
    fileprivate var inexactNumber: JSONNumber? {
        switch self {
        case .null, .bool, .string: nil
        case .number(let number): number.isExact ? nil : number
        case .array(let elements): elements.lazy.compactMap(\.inexactNumber).first
        case .object(let object): object.members.lazy.compactMap(\.value.inexactNumber).first
        }
    }
}

extension JSONNumber {
    fileprivate var isExact: Bool {
        if int64 != nil { return true }
        guard let double else { return false }
        return DecimalDigits(text) == DecimalDigits(double.description)
    }
}

/// A decimal number in a form that each number has once: digits without zeros at either end, and a power of ten.
private struct DecimalDigits: Equatable {
    private let isNegative: Bool
    private var digits: Substring
    private var exponent: Int

    init(_ text: String) {
        let parts = text.split(maxSplits: 1) { $0 == "e" || $0 == "E" }
        let mantissa = (parts.first ?? "").split(separator: ".", omittingEmptySubsequences: false)
        let fraction = mantissa.count > 1 ? mantissa[1] : ""
        isNegative = text.hasPrefix("-")
        digits = ((mantissa.first ?? "") + fraction).drop { $0 == "-" || $0 == "0" }
        exponent = (parts.count > 1 ? Int(parts[1]) ?? 0 : 0) - fraction.count
        while digits.last == "0" {
            digits.removeLast()
            exponent += 1
        }
    }
}
