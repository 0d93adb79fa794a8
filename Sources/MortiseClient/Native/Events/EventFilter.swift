#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

/// A filter of a list of events.
///
/// A property that is `nil` does not restrict the list.
public struct EventFilter: Sendable, Hashable {
    /// The type of the events, such as `rotated`.
    public var type: String?
    /// The actor of the events: as events have it, such as `admin-key:<id>`, the e-mail address of a member, or the name of a key or the
    /// beginning of its token.
    public var actor: String?
    /// The earliest time of the events.
    public var since: Date?
    /// The time before which the events occurred.
    public var until: Date?

    /// Creates a filter.
    ///
    /// A parameter that is left out does not restrict the list.
    public init(type: String? = nil, actor: String? = nil, since: Date? = nil, until: Date? = nil) {
        self.type = type
        self.actor = actor
        self.since = since
        self.until = until
    }

    /// The parameters of the request.
    var parameters: [(name: String, value: String?)] {
        [("type", type), ("actor", actor), ("since", since?.rfc3339), ("until", until?.rfc3339)]
    }
}
