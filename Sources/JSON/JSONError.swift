/// Why bytes are not the JSON that was asked for, and where.
public struct JSONError: Error, Sendable, Equatable {
    /// What is wrong.
    public enum Reason: Sendable, Equatable {
        /// The text ends in the middle of a value.
        case unexpectedEnd
        /// A byte that cannot stand there.
        case unexpectedByte
        /// Bytes after the end of the value.
        case trailingBytes
        /// A number that RFC 8259 section 6 does not allow, such as `01` or `+1`.
        case invalidNumber
        /// An escape other than the nine of RFC 8259 section 7.
        case invalidEscape
        /// Half of a UTF-16 surrogate pair.
        case loneSurrogate
        /// A control character that is not escaped.
        case rawControlCharacter
        /// Bytes that are not UTF-8.
        case invalidUTF8
        /// A name that the object already has.
        case duplicateMember
        /// More nested arrays and objects than the limit.
        case tooDeep
        /// More bytes than the limit.
        case tooLarge
    }

    /// What is wrong.
    public let reason: Reason

    /// The offset of the fault in bytes, from 0.
    public let offset: Int

    /// Makes an error.
    public init(_ reason: Reason, at offset: Int) {
        self.reason = reason
        self.offset = offset
    }
}

extension JSONError: CustomStringConvertible {
    /// A sentence that quotes nothing of the text, which may hold secrets.
    public var description: String {
        "not valid JSON at byte \(offset): \(sentence)"
    }

    private var sentence: String {
        switch reason {
        case .unexpectedEnd: "the text ends in the middle of a value"
        case .unexpectedByte: "this character cannot stand here"
        case .trailingBytes: "something follows the value"
        case .invalidNumber: "this is not a number"
        case .invalidEscape: "this is not an escape sequence"
        case .loneSurrogate: "this is half of a surrogate pair"
        case .rawControlCharacter: "control characters must be escaped"
        case .invalidUTF8: "this is not UTF-8"
        case .duplicateMember: "the object already has a member of this name"
        case .tooDeep: "arrays and objects are nested too deeply"
        case .tooLarge: "the text is too long"
        }
    }
}
