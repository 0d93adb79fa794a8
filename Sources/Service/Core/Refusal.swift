public import Keys

/// A reason for which a use case was not carried out.
///
/// Nothing was changed, unless a case says otherwise.
///
/// A caller can do something about a refusal. Faults of the system are other errors, which a surface answers without
/// details.
public enum Refusal: Error, Sendable {
    /// The request has no credential, or its credential is not good here.
    case unauthenticated
    /// The credential lacks this permission.
    case forbidden(Permission)
    /// No credential of this kind can do this. The text says which kind can.
    case forbiddenKind(String)
    /// Nothing of that name exists for this caller. The refusal does not tell whether it exists for another.
    case notFound
    /// The request contradicts the present state. The text says how.
    case conflict(String)
    /// The owner has as many objects of this kind as its quota allows. The text says how many, and what to do.
    case quotaReached(String)
    /// A key of this name exists, and the owner's keys have unique names.
    case nameTaken
    /// The user has that role already. The text says which.
    case memberExists(String)
    /// A change of several keys was refused because of the keys at these positions of the request. None of the keys was changed.
    indirect case ofKeys([Int], Refusal)
    /// The input is one that the shape of a request cannot rule out.
    case invalid([InvalidField])
    /// The `Idempotency-Key` was used for another request.
    case idempotencyKeyReused
    /// A request with the same `Idempotency-Key` is still running.
    case idempotencyKeyInUse
    /// Another change of the same resource is still running.
    case busy
    /// The credential has reached its rate limit.
    case limitReached(RateLimitVerdict)
    /// The database of one workspace cannot be reached.
    case workspaceUnavailable
    /// A resource that the request needs, such as the key set of an identity provider, cannot be read now.
    case unavailable
    /// The control database cannot be reached, or did not answer in time.
    case directoryUnavailable
    /// Too many wrong passwords or reports came from the client's address. `retryAfter` is the wait in seconds.
    case tooManyAttempts(retryAfter: Int, AttemptLimit)
    /// The queue for password hashing is full.
    case overloaded
    /// The database did not confirm COMMIT, so the outcome is unknown until a repeated request is answered.
    case outcomeUnknown
    /// The requested resource is recorded and will exist, but its creation has stopped for now. A repeated request
    /// would create another.
    case unfinished
}

extension Refusal {
    private static let deletedSentence =
        "The object that was created with this Idempotency-Key has been deleted; use another Idempotency-Key."

    /// The conflict of a repeated request whose resource no longer exists.
    static let resourceDeleted = Refusal.conflict(deletedSentence)

    /// True for the conflict of a repeated request whose resource no longer exists.
    package var isOfDeletedResource: Bool {
        guard case .conflict(let sentence) = self else { return false }
        return sentence == Self.deletedSentence
    }
}

extension Refusal {
    private static let scopeSentenceEnd = "is not one that the owner of a key can give to it. Ask an administrator."

    /// Returns the refusal of a scope that the caller cannot give to a key.
    static func forbiddenScope(_ scope: Scope) -> Refusal {
        .forbiddenKind("The scope \"\(scope.text)\" \(scopeSentenceEnd)")
    }

    /// The sentence about a scope that the caller cannot give to a key, which a form shows at its scopes; `nil` for any other refusal.
    package var scopeSentence: String? {
        guard case .forbiddenKind(let sentence) = self, sentence.hasSuffix(Self.scopeSentenceEnd) else { return nil }
        return sentence
    }
}

extension Refusal {
    /// True if the refusal tells the caller what an earlier change has done: an object is gone, has ended or exists already.
    var tellsOfEarlierChange: Bool {
        switch self {
        case .notFound, .conflict, .nameTaken, .memberExists: true
        case .ofKeys(_, let refusal): refusal.tellsOfEarlierChange
        default: false
        }
    }
}

/// A field that cannot be accepted.
public struct InvalidField: Sendable, Hashable {
    /// The field's location, as a JSON pointer (RFC 6901).
    public let pointer: String
    /// The fault, as a sentence.
    public let detail: String

    /// Creates a field.
    public init(pointer: String, detail: String) {
        self.pointer = pointer
        self.detail = detail
    }
}
