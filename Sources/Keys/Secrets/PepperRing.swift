/// A digest and the id of the pepper that made it.
public struct PepperedDigest: Sendable, Hashable {
    /// The id of the pepper.
    public let pepperID: SecretID
    /// The digest that is stored in place of the token.
    public let digest: Digest

    /// Creates a pair of a pepper's id and a digest.
    public init(pepperID: SecretID, digest: Digest) {
        self.pepperID = pepperID
        self.digest = digest
    }
}

/// The peppers that a node knows.
///
/// Each workspace has peppers of its own, which derive from these. The digest of a new token is made with the current pepper. A token is
/// looked up under every pepper, so old tokens keep working while peppers rotate.
public struct PepperRing: Sendable, Redacted {
    /// The pepper for new tokens.
    public let current: Pepper

    /// The other accepted peppers, in the order of the secrets file.
    public let others: [Pepper]

    /// Creates a ring, or returns `nil` if two peppers have the same id.
    public init?(current: Pepper, others: [Pepper] = []) {
        guard Set(others.map(\.id)).union([current.id]).count == others.count + 1 else { return nil }
        self.current = current
        self.others = others
    }

    /// All peppers.
    ///
    /// The current one is the first.
    public var all: [Pepper] { [current] + others }

    /// The ids of all peppers, which a node announces.
    ///
    /// The current pepper's id is the first.
    public var ids: [SecretID] { all.map(\.id) }

    /// Returns the pepper with an id.
    public subscript(id: SecretID) -> Pepper? {
        current.id == id ? current : others.first { $0.id == id }
    }

    /// Derives the peppers of a workspace.
    ///
    /// The derivation costs several hashes for each pepper. A caller that digests many tokens keeps the result.
    public func peppers(of ref: WorkspaceRef) -> WorkspacePeppers { WorkspacePeppers(self, ref) }

    /// Returns the digest of a token under the current pepper of the token's workspace.
    ///
    /// It is the one to store for a new token where one program alone reads the digests.
    public func digest(of token: Token) -> PepperedDigest {
        peppers(of: token.parsed.workspaceRef).digest(of: token)
    }

    /// Returns the digest to store for a new token, under the peppers of the token's workspace.
    ///
    /// Another node must be able to find the token, so a pepper counts that all nodes know.
    ///
    /// - Parameters:
    ///   - token: The token.
    ///   - shared: The ids of the peppers that all nodes know; `nil` if that is not known, in which case the current pepper is used.
    /// - Returns: The digest.
    public func digest(of token: Token, sharing shared: [String]?) -> PepperedDigest {
        let digests = digests(of: token)
        return shared.flatMap { shared in digests.first { shared.contains($0.pepperID.text) } } ?? digests[0]
    }

    /// Returns the digests to look a token up by, under the peppers of the token's workspace.
    ///
    /// The current pepper's digest is the first.
    public func digests(of token: Token) -> [PepperedDigest] {
        peppers(of: token.parsed.workspaceRef).digests(of: token)
    }
}
