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
        let use: KeyUseRule
    }

    let question: Question
    let token: Token
    /// The home of the key and the digests of the token, if this node knows the token's workspace.
    let found: (home: KeyHome, digests: [PepperedDigest])?
}

/// The effect of a verification on the statistics and the rate limits of its key.
public enum KeyUseRule: Sendable {
    /// The key is used: it counts, and a limit that is used up refuses it.
    case counted
    /// The use was counted before, such as at the first authentication of the same request. It does not count again, and no limit refuses
    /// it.
    case countedBefore
    /// A trial: the use is not counted, and a limit that is used up on this node refuses it.
    case asked
}
