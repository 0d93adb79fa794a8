public import FoundationEssentials
public import Keys

/// A filter of events.
///
/// A member that is `nil` does not filter.
public struct EventFilter: Sendable {
    /// The part of a database's events that a list can show.
    package enum Scope: Sendable, Hashable {
        /// All events of the database.
        case database
        /// The events of one organization, which shares the control database with others.
        case organization(UUID)
        /// The events of the platform itself: those of no organization and no workspace.
        case platform
    }

    /// The key.
    public var keyID: UUID?
    /// The type.
    public var type: String?
    /// The actors, of which an event has one; empty lets no event through.
    public var actors: [String]?
    /// The earliest time.
    public var since: Timestamp?
    /// The end of the time span; events at this instant are not part of it.
    public var until: Timestamp?
    /// The part of the database's events.
    package var scope = Scope.database

    /// Creates a filter.
    public init(
        keyID: UUID? = nil,
        type: String? = nil,
        actors: [String]? = nil,
        since: Timestamp? = nil,
        until: Timestamp? = nil
    ) {
        self.keyID = keyID
        self.type = type
        self.actors = actors
        self.since = since
        self.until = until
    }
}
