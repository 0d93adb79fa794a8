import FoundationEssentials
import Glibc

/// The environment of the process.
enum Environment {
    /// Returns a variable.
    ///
    /// An empty variable counts as unset, as in a compose file with `${X:-}`.
    static func value(_ name: String) -> String? {
        guard let pointer = getenv(name) else { return nil }
        let text = String(cString: pointer)
        return text.isEmpty ? nil : text
    }

    /// All variables.
    static var all: [String: String] { ProcessInfo.processInfo.environment }
}
