import Endpoints
package import Keys

extension Timestamp {
    /// The instant of a text that the schema has accepted.
    package static func reading(_ text: String) -> Timestamp? {
        RFC3339.microseconds(text).map(Timestamp.init(microsecondsSinceUnixEpoch:))
    }
}
