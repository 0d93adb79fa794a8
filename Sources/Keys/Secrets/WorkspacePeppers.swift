/// The peppers of one workspace, derived from the installation's.
///
/// The pepper of a workspace is HKDF-SHA-256 (RFC 5869) of a ``Pepper`` without salt, with the info `mortise workspace` and the workspace's
/// reference. A program that has it can do nothing to another workspace.
public struct WorkspacePeppers: Sendable, Redacted {
    private struct Derived: Sendable {
        let id: SecretID
        let hash: KeyedHash

        init(_ pepper: Pepper, _ ref: WorkspaceRef) {
            id = pepper.id
            let info = Array("mortise workspace".utf8) + ref.bytes
            hash = KeyedHash(key: pepper.secret.derive(salt: [], info: info, count: Digest.byteCount))
        }

        func digest(of token: Token) -> PepperedDigest {
            PepperedDigest(pepperID: id, digest: token.withUTF8 { hash.digest(of: $0) })
        }
    }

    private let current: Derived
    private let others: [Derived]

    /// Derives the peppers of a workspace.
    init(_ ring: PepperRing, _ ref: WorkspaceRef) {
        current = Derived(ring.current, ref)
        others = ring.others.map { Derived($0, ref) }
    }

    /// Returns the digest of a token of the workspace under the current pepper.
    public func digest(of token: Token) -> PepperedDigest { current.digest(of: token) }

    /// Returns the digests to look a token of the workspace up by.
    ///
    /// The current pepper's digest is the first.
    public func digests(of token: Token) -> [PepperedDigest] {
        let first = current.digest(of: token)
        return others.isEmpty ? [first] : [first] + others.map { $0.digest(of: token) }
    }
}
