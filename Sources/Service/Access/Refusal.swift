public import Keys

/// Why a use case was not carried out.
///
/// Nothing was changed, unless a case says otherwise.
///
/// These are the answers that a caller can do something about. Faults of the system are other errors, and a surface answers them with
/// no more than an apology.
public enum Refusal: Error, Sendable {
    /// No credential, or none that is good here.
    case unauthenticated
    /// The credential is good but lacks this permission.
    case forbidden(Permission)
    /// The credential is good but of a kind that never does this; the text says which kind does.
    case forbiddenKind(String)
    /// There is nothing of that name for this caller. Whether it exists for another is not told.
    case notFound
    /// It contradicts what is there; the text says how.
    case conflict(String)
    /// There is a key of this name, and its owner's keys have each a name of their own.
    case nameTaken
    /// The user has that role already; the text says which.
    case memberExists(String)
    /// Input that the shape of a request cannot rule out.
    case invalid([InvalidField])
    /// The `Idempotency-Key` was used for another request.
    case idempotencyKeyReused
    /// A request with the same `Idempotency-Key` is still running.
    case idempotencyKeyInUse
    /// The credential has been used as often as it may be for now.
    case limitReached(RateLimitVerdict)
    /// The database of this one workspace cannot be reached.
    case workspaceUnavailable
    /// The control database cannot be reached.
    case unavailable
    /// Too many wrong guesses from there; it may try again after so many seconds.
    case tooManyAttempts(retryAfter: Int)
    /// More passwords are waiting to be checked than can be; later.
    case overloaded
    /// The outcome is unknown: the connection broke during COMMIT. Looking again tells.
    case outcomeUnknown
    /// What was asked for is recorded and will be there, but making it has stopped for now; asking once more would make another.
    case unfinished
}

/// One field that cannot be accepted.
public struct InvalidField: Sendable, Hashable {
    /// Where it is, as a JSON pointer (RFC 6901).
    public let pointer: String
    /// What is wrong with it, as a sentence.
    public let detail: String

    /// Describes a fault.
    public init(pointer: String, detail: String) {
        self.pointer = pointer
        self.detail = detail
    }
}
