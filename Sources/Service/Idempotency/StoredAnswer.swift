import FoundationEssentials

/// The answer to a request that created something, as it is stored for repeated requests.
public struct StoredAnswer: Sendable {
    /// The answer as JSON text.
    public let answer: String
    /// True if an earlier request with the same `Idempotency-Key` created the resource.
    public let isReplay: Bool
    /// The created resource.
    let resourceID: UUID
}
