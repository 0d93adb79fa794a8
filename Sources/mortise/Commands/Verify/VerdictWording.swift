import JSON

/// A verdict in words.
enum VerdictWording {
    /// What a code means to whoever holds the token.
    static func sentence(_ code: String) -> String {
        switch code {
        case "valid": "The token is valid."
        case "malformed": "This is not a token: a character is missing, wrong or too many."
        case "not_found": "There is no such key for this credential."
        case "disabled": "The key is disabled."
        case "revoked": "The key was revoked."
        case "expired": "The key, or this token of it, has expired."
        case "wrong_address": "The key is bound to addresses, and the one asked about is not among them."
        case "wrong_mode": "The key is of the other mode."
        case "wrong_namespace": "The key does not work in this namespace."
        case "insufficient_scope": "The key lacks a scope that was asked for."
        case "rate_limited": "The key has reached its rate limit."
        case "workspace_unavailable": "The key's workspace is not in service."
        default: "The verdict is \(code)."
        }
    }

    /// The verdict, and the key where it is known.
    static func lines(_ verdict: JSONValue) -> [String] {
        let code = verdict["code"]?.string ?? "unknown"
        var lines = ["\(code): \(sentence(code))".printable]
        if let key = verdict["key"]?.object { lines += Wording.lines(key) }
        if let limit = verdict["rate_limit"]?.object {
            lines.append(
                "rate limit  \(Wording.text(limit["remaining"])) of \(Wording.text(limit["limit"])) left".printable
            )
        }
        return lines
    }
}
