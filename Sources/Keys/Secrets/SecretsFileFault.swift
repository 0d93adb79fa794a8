/// What is wrong with a secrets file, and where; never what stands there.
public struct SecretsFileFault: Error, Sendable, Hashable {
    /// What can be wrong.
    public enum Reason: Error, Sendable, Hashable {
        /// A line that is not three words.
        case notThreeWords
        /// A first word that names no kind of secret.
        case unknownKind
        /// A second word that is not 1 to 16 of `a-z0-9-`.
        case badID
        /// A third word that is not pairs of hexadecimal digits.
        case notHexadecimal
        /// A secret of fewer than 32 bytes.
        case tooShort
        /// A secret of more than 256 bytes.
        case tooLong
        /// The id of an earlier secret of the same kind.
        case duplicateID
        /// The very secret of an earlier line.
        case duplicateSecret
        /// No line of a kind that is needed.
        case missing(SecretKind)
    }

    /// The line, counted from 1, or `nil` where the fault is the file's.
    public let line: Int?
    /// What is wrong.
    public let reason: Reason
}

extension SecretsFileFault: CustomStringConvertible {
    /// One sentence for the operator.
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
