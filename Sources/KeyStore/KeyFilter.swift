public import Keys

/// A filter of keys.
///
/// A member that is `nil` does not filter.
public struct KeyFilter: Sendable {
    /// A part of the name, the description or a token's prefix, in any case.
    public var query: String?
    /// The status at the time of the query.
    public var status: KeyStatus?
    /// The kind: service or anon.
    public var kind: KeyKind?
    /// A part of the name, in any case.
    public var name: String?
    /// The subject.
    ///
    /// No service key has one.
    public var subject: String?
    /// The type label.
    ///
    /// No service key has one.
    public var type: String?
    /// True for keys that are neither revoked nor expired, false for the others.
    public var isUsable: Bool?

    /// Creates a filter.
    public init(
        query: String? = nil,
        status: KeyStatus? = nil,
        kind: KeyKind? = nil,
        name: String? = nil,
        subject: String? = nil,
        type: String? = nil,
        isUsable: Bool? = nil
    ) {
        self.query = query
        self.status = status
        self.kind = kind
        self.name = name
        self.subject = subject
        self.type = type
        self.isUsable = isUsable
    }
}
