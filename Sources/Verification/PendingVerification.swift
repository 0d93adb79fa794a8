import Keys

/// The result of the first step of a verification, which waits for nothing.
public enum FirstStep: Sendable {
    /// The verdict.
    case verdict(Verdict)
    /// The key is not in memory, or what is there does not count any more.
    case pending(PendingVerification)
}

/// A verification that memory could not answer.
public struct PendingVerification: Sendable {
    /// The question about a token.
    struct Question: Sendable {
        let request: VerificationRequest
        let audience: Audience
        let isCounted: Bool
    }

    let question: Question
    let token: Token
    /// The home of the key and the digests of the token, if this node knows the token's workspace.
    let found: (home: KeyHome, digests: [PepperedDigest])?
}
