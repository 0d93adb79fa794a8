/// The first fault of a text that is not the expected JSON, with its offset.
public struct JSONError: Error, Sendable, Equatable {
    /// The kind of a fault.
    public enum Reason: Sendable, Equatable {
        /// The text ends in the middle of a value.
        case unexpectedEnd
        /// A byte cannot stand at its position.
        case unexpectedByte
        /// Bytes follow the end of the value.
        case trailingBytes
        /// A number is not allowed by RFC 8259, section 6, such as `01` or `+1`.
        case invalidNumber
        /// An escape sequence is not one of the nine of RFC 8259, section 7.
        case invalidEscape
        /// An escape sequence is half of a UTF-16 surrogate pair.
        case loneSurrogate
        /// A control character is not escaped.
        case rawControlCharacter
        /// Bytes of a string are not UTF-8.
        case invalidUTF8
        /// An object has two members with the same name.
        case duplicateMember
        /// More arrays and objects are nested than the limit allows.
        case tooDeep
        /// The text has more bytes than the limit allows.
        case tooLarge
    }

    /// The kind of the fault.
    public let reason: Reason

    /// The offset of the fault in bytes, from 0.
    public let offset: Int

    /// Creates an error.
    public init(_ reason: Reason, at offset: Int) {
        self.reason = reason
        self.offset = offset
    }
}

extension JSONError: CustomStringConvertible {
    /// A sentence about the fault.
    ///
    /// It quotes nothing of the text, which may contain secrets.
    public var description: String {
        "not valid JSON at byte \(offset): \(sentence)"
    }

    private var sentence: String {
        switch reason {
        case .unexpectedEnd: "the text ends in the middle of a value"
        case .unexpectedByte: "this character is not allowed here"
        case .trailingBytes: "something follows the value"
        case .invalidNumber: "this is not a number"
        case .invalidEscape: "this is not an escape sequence"
        case .loneSurrogate: "this is half of a surrogate pair"
        case .rawControlCharacter: "control characters must be escaped"
        case .invalidUTF8: "this is not UTF-8"
        case .duplicateMember: "the object already has a member with this name"
        case .tooDeep: "arrays and objects are nested too deeply"
        case .tooLarge: "the text is too long"
        }
    }
}
