import FoundationEssentials

/// An event of one key in a change of several keys.
///
/// The other values of an ``EventRecord`` are those of the change.
struct KeyEvent: Sendable {
    /// The event's id, version 7.
    let id: UUID
    /// The key that changed.
    let keyID: UUID
    /// The key's name at the time of the event.
    let keyName: String
    /// The event's type.
    let type: EventType
    /// The changes.
    let changes: EventChanges
}
