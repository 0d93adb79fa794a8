package import FoundationEssentials
package import Keys

/// An event about a key that no caller caused.
package struct KeyNotice: Sendable {
    /// The type.
    package let type: EventType
    /// The key.
    package let keyID: UUID
    /// The key's name.
    package let keyName: String
    /// The instant that the notice is about: an end, the last use or the creation, or the hour of a limit.
    package let about: Timestamp
    /// The days before the end at which the notice was due.
    ///
    /// Zero for other types.
    package let days: Int

    /// The details of the event.
    var changes: EventChanges {
        var changes = EventChanges()
        switch type {
        case .expiring:
            changes.add("ends_at", about)
            changes.add("days", days)
        case .graceEnding: changes.add("ends_at", about)
        case .unused: changes.add("unused_since", about)
        case .limitReached: changes.add("hour", about)
        default: break
        }
        return changes
    }
}
