import Locks
package import NIOCore
import Synchronization
package import Verification

/// The audiences of organizations' names, as last read.
///
/// An organization can be renamed, and another one can then take its slug. So an entry counts for a short time only. The first request in
/// the second half of that time has it read again, and none waits for it: without that, all requests that come in the moment of its end
/// would read. A workspace is not here, because the facts of a workspace never change.
package final class AudienceCache: Sendable {
    private final class Entry: Sendable {
        let audience: Audience
        /// The end of the time for which the entry counts.
        let expiry: NIODeadline
        private let renewal: NIODeadline
        private let isRenewed = Atomic<Bool>(false)

        init(_ audience: Audience, readAt time: NIODeadline) {
            self.audience = audience
            expiry = time + AudienceCache.lifetime
            renewal = time + AudienceCache.freshFor
        }

        /// Returns true once, in the second half of the entry's time.
        func mustBeRenewed(at now: NIODeadline) -> Bool {
            // Most requests read only.
            guard now >= renewal, !isRenewed.load(ordering: .relaxed) else { return false }
            return !isRenewed.exchange(true, ordering: .relaxed)
        }
    }

    /// The time for which an entry counts.
    package static let lifetime = TimeAmount.seconds(5)
    /// The part of that time in which an entry is not read again.
    private static let freshFor = TimeAmount.milliseconds(2500)
    /// The number of entries at which the cache is emptied.
    private static let maximum = 4096

    private let read: @Sendable (AudienceName) async throws -> Audience?
    /// The thread that reads an entry is not the one that wrote it: checks are answered on event loops, and names are looked up on
    /// reactors.
    private let entries = ReadMostlyMap<AudienceName, Entry>()

    /// Creates an empty cache.
    ///
    /// - Parameter read: Reads the audience with a name. Its own deadline bounds it.
    package init(_ read: @escaping @Sendable (AudienceName) async throws -> Audience?) {
        self.read = read
    }

    /// Returns the audience with a name, if it is in memory.
    package func known(_ name: AudienceName, at now: NIODeadline) -> Audience? {
        guard let known = entries[name], now < known.expiry else { return nil }
        // The entry counts to its end if the database is unavailable.
        if known.mustBeRenewed(at: now) { Task { _ = try? await look(up: name, at: now) } }
        return known.audience
    }

    /// Returns the audience with a name, or `nil` if it does not exist.
    ///
    /// - Throws: The errors of the control database.
    package func audience(_ name: AudienceName, at now: NIODeadline) async throws -> Audience? {
        if let known = known(name, at: now) { return known }
        return try await look(up: name, at: now)
    }

    private func look(up name: AudienceName, at now: NIODeadline) async throws -> Audience? {
        guard let audience = try await read(name) else {
            if entries[name] != nil { entries.removeValue(for: name) }
            return nil
        }
        // The time counts from before the read, so that a change in the meantime is not missed for longer.
        if entries.count >= Self.maximum { entries.removeAll() }
        entries.update(Entry(audience, readAt: now), for: name)
        return audience
    }
}
