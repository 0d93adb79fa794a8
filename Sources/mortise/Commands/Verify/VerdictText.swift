import FoundationEssentials
import JSON
import MortiseClient

/// A verdict as text for people.
enum VerdictText {
    /// Returns the meaning of a code for the holder of the token.
    static func sentence(_ code: Mortise.Verdict.Code) -> String {
        switch code {
        case .valid: "The token is valid."
        case .malformed: "The text is not a token. A character is missing, wrong or extra."
        case .notFound: "The key does not exist, or this credential cannot see it."
        case .disabled: "The key is disabled."
        case .revoked: "The key was revoked."
        case .expired: "The key, or this token of the key, has expired."
        case .wrongAddress: "The key does not work from this address, or no address was given."
        case .wrongMode: "The key has the other mode."
        case .wrongNamespace: "The key does not work in this namespace."
        case .insufficientScope: "The key lacks a required scope."
        case .rateLimited: "The key has reached its rate limit."
        case .workspaceUnavailable: "The workspace of the key is unavailable."
        default: "The verdict is \(code.rawValue)."
        }
    }

    /// A token that ends within this time needs attention: 7 days.
    private static let soon = 604_800.0

    /// Returns the verdict as lines, with the key if it is known.
    ///
    /// - Parameters:
    ///   - answer: The verdict.
    ///   - ends: The time at which the token ends. `nil` if it never does.
    ///   - isWide: True to show all members of the key.
    /// - Returns: The lines.
    static func lines(_ answer: ServerAnswer<Mortise.Verdict>, ends: Date?, isWide: Bool) -> [String] {
        let verdict = answer.value
        let code = verdict.code.rawValue.printable
        let label = Style.of(status: code)?.paint(code) ?? code
        var lines = ["\(label): \(sentence(verdict.code).printable)"]
        if let ends, ends.timeIntervalSinceNow < soon {
            lines.append(
                Style.warning.paint("The token ends \(DisplayText.relative(ends)), at \(DisplayText.second(ends)) UTC.")
            )
        }
        if let key = answer.json["key"] {
            lines += isWide ? ObjectText(key).everything : ObjectText(key).essentials()
        }
        if let limit = verdict.rateLimit { lines.append("rate limit  \(limit.remaining) of \(limit.limit) left") }
        return lines
    }
}
