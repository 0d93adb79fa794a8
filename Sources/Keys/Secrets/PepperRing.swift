/// A digest and the pepper that made it.
public struct PepperedDigest: Sendable, Hashable {
    /// The pepper that made the digest.
    public let pepperID: SecretID
    /// What is stored in place of the token.
    public let digest: Digest

    /// A digest beside the name of its pepper.
    public init(pepperID: SecretID, digest: Digest) {
        self.pepperID = pepperID
        self.digest = digest
    }
}

/// The peppers that a node knows, the current one first.
///
/// New tokens are stored under the current pepper. A token is looked up under each of them, so that peppers can change
/// while older tokens go on working.
public struct PepperRing: Sendable, Redacted {
    /// The pepper for new tokens.
    public let current: Pepper

    /// The peppers that are still accepted, in the order of the file.
    public let others: [Pepper]

    /// A ring with `current` in front, or `nil` where two peppers bear the same id.
    public init?(current: Pepper, others: [Pepper] = []) {
        guard Set(others.map(\.id)).union([current.id]).count == others.count + 1 else { return nil }
        self.current = current
        self.others = others
    }

    /// All peppers, the current one first.
    public var all: [Pepper] { [current] + others }

    /// The names of all peppers, the current one first: what a node announces.
    public var ids: [SecretID] { all.map(\.id) }

    /// The pepper of that name.
    public subscript(id: SecretID) -> Pepper? {
        current.id == id ? current : others.first { $0.id == id }
    }

    /// The digest to store for a new token.
    public func digest(of token: Token) -> PepperedDigest {
        PepperedDigest(pepperID: current.id, digest: current.digest(of: token))
    }

    /// The digests to look a token up by, the current pepper's first.
    public func digests(of token: Token) -> [PepperedDigest] {
        if others.isEmpty { return [digest(of: token)] }
        return all.map { PepperedDigest(pepperID: $0.id, digest: $0.digest(of: token)) }
    }
}
