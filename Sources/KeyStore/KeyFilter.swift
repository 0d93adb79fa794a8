public import Keys

/// A filter of keys.
///
/// A member that is `nil` does not filter.
public struct KeyFilter: Sendable {
    /// The status at the time of the query.
    public var status: KeyStatus?
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
        status: KeyStatus? = nil,
        name: String? = nil,
        subject: String? = nil,
        type: String? = nil,
        isUsable: Bool? = nil
    ) {
        self.status = status
        self.name = name
        self.subject = subject
        self.type = type
        self.isUsable = isUsable
    }
}
