import Glibc

/// The colors of text on a terminal.
///
/// Text has no colors if the stream is not a terminal, if `NO_COLOR` has a value (no-color.org), or if the terminal
/// has none.
enum Style: String, Sendable {
    case good = "32"
    case warning = "33"
    case bad = "31"
    case strong = "1"

    /// Returns the text in this color, if standard output or standard error shows colors.
    func paint(_ text: String, on descriptor: CInt = STDOUT_FILENO) -> String {
        Style.isShown(on: descriptor) ? "\u{1B}[\(rawValue)m\(text)\u{1B}[0m" : text
    }

    private static func isShown(on descriptor: CInt) -> Bool {
        isatty(descriptor) == 1 && Environment.value("NO_COLOR") == nil && Environment.value("TERM") != "dumb"
    }
}

extension Style {
    /// Returns the color of a key's status, a workspace's state or a verdict.
    ///
    /// `nil` for other texts.
    static func of(status: String) -> Style? {
        switch status {
        case "active", "valid": .good
        case "creating", "suspended", "disabled", "deprecated", "rate_limited", "workspace_unavailable": .warning
        case "archived", "deleting", "expired", "revoked", "malformed", "not_found", "wrong_address", "wrong_mode",
            "wrong_namespace", "insufficient_scope":
            .bad
        default: nil
        }
    }
}
