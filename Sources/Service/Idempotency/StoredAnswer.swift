import FoundationEssentials

/// The answer to a request that made something, as it is kept for a twin of the request.
public struct StoredAnswer: Sendable {
    /// The answer as JSON text.
    public let answer: String
    /// Whether an earlier request with the same `Idempotency-Key` made it.
    public let isReplay: Bool
    /// What was made.
    let resourceID: UUID
}
