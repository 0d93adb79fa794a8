import KeyStore
import Keys
import Verification

/// The values that explain a verdict on a token that a person has pasted.
enum VerdictView {
    /// Returns the values.
    ///
    /// - Parameters:
    ///   - verdict: The verdict.
    ///   - key: The key on whose page the token was pasted.
    /// - Returns: The values of the template `verdict`.
    static func values(_ verdict: Verdict, key: KeyRecord) -> [String: Any] {
        let found = verdict.key?.found
        let isOther = found.map { $0.state.keyID != key.id } ?? false
        var values: [String: Any] = [
            "isValid": verdict.code.isValid, "code": verdict.code.rawValue, "title": title(verdict.code),
            "text": explanation(verdict.code), "isOther": isOther,
        ]
        if isOther, let found { values["other"] = found.name }
        if verdict.code.isValid, let found, !found.state.rateLimits.isUnlimited {
            values["text"] = "The token is genuine. Its limit is not used up, as far as this server has counted."
        }
        if !isOther, let end = found?.state.secret.endsAt, verdict.code.isValid {
            values["ends"] = "This is the old token of a rotated key. It works until \(TimeView.short(end)) UTC."
        }
        return values
    }

    private static func title(_ code: VerdictCode) -> String {
        code.isValid ? "This token is accepted." : "This token is refused."
    }

    private static func explanation(_ code: VerdictCode) -> String {
        switch code {
        case .valid: "The token is genuine, and nothing restricts this use."
        case .malformed:
            "The text is not a token of Mortise. Its checksum is wrong, or a part is missing. Copy the whole token again."
        case .notFound:
            "No key of this workspace has this token. It may belong to another workspace, or its key was deleted."
        case .disabled: "The key is disabled. Enable it, and the token works again."
        case .revoked: "The key is revoked, which is final. Create a new key."
        case .expired:
            "The key has expired, or the token was replaced and its grace period is over. Use the newest token or another key."
        case .wrongAddress:
            "The key is bound to addresses. Enter an address that it allows, or change \u{201C}Allowed addresses\u{201D}."
        case .wrongMode: "The key has the other mode, live or test."
        case .wrongNamespace:
            "The key is bound to other namespaces. Enter one that it allows, or change \u{201C}Allowed namespaces\u{201D}."
        case .insufficientScope: "The key lacks a scope that the request asks for."
        case .rateLimited: "The key has used up its rate limit. It works again when the time is over."
        case .workspaceUnavailable: "The workspace is suspended or archived, or its database cannot be reached."
        }
    }
}
