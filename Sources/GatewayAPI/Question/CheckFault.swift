/// A fault in the options of a check, which the configuration of the gateway writes.
package struct CheckFault: Error, Sendable, Hashable {
    /// The kind of a fault.
    package enum Kind: String, Sendable, CaseIterable {
        /// Two semicolons without an option between them, or an option without a value.
        case empty
        /// The name of the option is not known.
        case unknown
        /// The option occurs twice and may occur once.
        case repeated
        /// The value of the option is not valid.
        case malformed
        /// The context extensions of a check over gRPC name no audience, or two.
        case audience
        /// The name of a context extension is not known.
        case `extension`
    }

    /// The kind of the fault.
    package let kind: Kind
    /// The option.
    ///
    /// `nil` if the fault is in no known option.
    package let option: CheckOption?

    /// Creates a fault.
    package init(_ kind: Kind, _ option: CheckOption? = nil) {
        self.kind = kind
        self.option = option
    }

    /// A sentence for the operator of the gateway.
    ///
    /// It repeats nothing of the request.
    package var sentence: String {
        guard let option else {
            return switch kind {
            case .empty: "The path has an empty option."
            case .audience: "The context extensions must have either \"workspace\" or \"organization\"."
            case .extension:
                "A context extension is unknown. The names are workspace, organization, scope, namespace, mode and token."
            case .repeated: "A context extension occurs twice."
            case .unknown, .malformed: "The path has an unknown option. The options are \(CheckOption.list)."
            }
        }
        return switch kind {
        case .empty: "The option \"\(option.rawValue)\" has no value."
        case .repeated: "The option \"\(option.rawValue)\" occurs more often than it may."
        case .unknown, .malformed, .audience, .extension: "The option \"\(option.rawValue)\" \(option.rule)."
        }
    }
}

/// The name of an option of a check.
package enum CheckOption: String, Sendable, CaseIterable {
    case scope, namespace, mode, token, address, over, away

    /// All names, for a sentence.
    fileprivate static let list = allCases.map(\.rawValue).joined(separator: ", ")

    /// The rule that a value must keep, as the end of a sentence.
    fileprivate var rule: String {
        switch self {
        case .scope: "must be \"*\", \"verb:resource\" or \"verb:*\""
        case .namespace: "must have 1 to 255 characters"
        case .mode: "must be live or test"
        case .token, .address: "must be the name of a header: 1 to 64 letters, digits, \"-\" and \"_\""
        case .over, .away: "must be a status from 400 to 599"
        }
    }
}
