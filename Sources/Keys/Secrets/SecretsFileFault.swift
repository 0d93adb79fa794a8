/// A fault of a secrets file and its line.
///
/// A fault contains nothing of the file.
public struct SecretsFileFault: Error, Sendable, Hashable {
    /// The kind of a fault.
    public enum Reason: Error, Sendable, Hashable {
        /// The line does not have three words.
        case notThreeWords
        /// The first word does not name a kind of secret.
        case unknownKind
        /// The second word is not 1 to 16 of `a-z0-9-`.
        case badID
        /// The third word is not pairs of hexadecimal digits.
        case notHexadecimal
        /// The secret has fewer than 32 bytes.
        case tooShort
        /// The secret has more than 256 bytes.
        case tooLong
        /// An earlier secret of the same kind has the same id.
        case duplicateID
        /// An earlier line has the same secret.
        case duplicateSecret
        /// A required kind has no line.
        case missing(SecretKind)
    }

    /// The number of the line, from 1.
    ///
    /// `nil` if the fault concerns the whole file.
    public let line: Int?
    /// The fault.
    public let reason: Reason
}

extension SecretsFileFault: CustomStringConvertible {
    /// The line and the fault, for the operator.
    public var description: String {
        line.map { "line \($0): \(reason)" } ?? "\(reason)"
    }
}

extension SecretsFileFault.Reason: CustomStringConvertible {
    /// The fault in words.
    public var description: String {
        switch self {
        case .notThreeWords: "a line is a kind, an id and a secret, separated by spaces"
        case .unknownKind: "the kind is none of \(SecretKind.allCases.map(\.rawValue).joined(separator: ", "))"
        case .badID: "the id is not 1 to 16 of a-z, 0-9 and -"
        case .notHexadecimal: "the secret is not an even number of hexadecimal digits"
        case .tooShort: "the secret has fewer than 64 hexadecimal digits"
        case .tooLong: "the secret has more than 512 hexadecimal digits"
        case .duplicateID: "an earlier secret of this kind has the same id"
        case .duplicateSecret: "an earlier line has the same secret"
        case .missing(let kind): "there is no line of the kind \(kind.rawValue)"
        }
    }
}
