public import FoundationEssentials

/// A record that the first start of an installation has created something.
public struct Seed: Sendable, Hashable {
    /// The name of what was created.
    public let name: String
    /// The key that was created, if it was one.
    ///
    /// It may have been revoked or deleted since.
    public let keyID: UUID?
}
