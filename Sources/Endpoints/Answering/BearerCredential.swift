/// Reads `Authorization: Bearer <credential>` (RFC 6750 section 2.1).
package enum BearerCredential {
    /// The credential of a field's value; `nil` for another scheme or none at all.
    ///
    /// The scheme's case does not matter (RFC 9110 section 11.1).
    package static func read(_ value: String) -> String? {
        let scheme = "bearer "
        guard value.utf8.count > scheme.utf8.count, value.prefix(scheme.count).lowercased() == scheme else {
            return nil
        }
        let credential = value.dropFirst(scheme.count).drop { $0 == " " }
        return credential.isEmpty ? nil : String(credential)
    }
}
