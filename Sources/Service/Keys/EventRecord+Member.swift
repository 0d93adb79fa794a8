import JSON
import KeyStore

extension EventRecord {
    /// A member of what changed that is a text.
    func member(_ name: String) -> String? {
        (try? JSONValue(parsing: changes.utf8))?[name]?.string
    }
}
