public import FoundationEssentials
public import KeyStore
import Keys
import Postgres
public import Tenancy

/// Part of a list of keys, by number instead of by place.
public struct KeyListing: Sendable {
    /// The keys, newest first.
    public let keys: [KeyRecord]
    /// How many keys the filter finds altogether.
    public let total: Int
}

extension KeyService {
    /// One page of keys, newest first whatever the direction.
    public func list(_ filter: KeyFilter, _ page: PageRequest, in home: KeyHome) async throws -> Page<KeyRecord> {
        let keys = try await platform.connection(home) { connection in
            try await KeyStore(connection).list(in: home.keyOwner, filter, at: page.place, limit: page.limit + 1)
        }
        return Page(keys, of: page) { PageCursor(createdAt: $0.createdAt, id: $0.id) }
    }

    /// The most keys of one listing.
    public static let longestListing = 10_000

    /// Keys by number, newest first, with their total.
    ///
    /// - Parameters:
    ///   - filter: which keys.
    ///   - offset: how many of the newest to leave out; no less than 0.
    ///   - limit: how many at most; taken to 1 to 10 000.
    ///   - home: whose keys.
    /// - Returns: the keys and how many there are.
    /// - Throws: `Refusal.workspaceUnavailable`, or the database's errors.
    public func listing(
        _ filter: KeyFilter,
        offset: Int = 0,
        limit: Int,
        in home: KeyHome
    ) async throws -> KeyListing {
        let limit = min(max(limit, 1), Self.longestListing)
        return try await platform.connection(home) { connection in
            let store = KeyStore(connection)
            let keys = try await store.list(
                in: home.keyOwner,
                filter,
                at: .newest(offset: max(offset, 0)),
                limit: limit
            )
            return KeyListing(keys: keys, total: try await store.count(in: home.keyOwner, filter))
        }
    }

    /// One page of events of a key, which may be gone, or of all keys here; newest first.
    ///
    /// - Throws: `Refusal.notFound` for a key that is not here and was not when it was deleted.
    public func events(_ filter: EventFilter, _ page: PageRequest, in home: KeyHome) async throws -> Page<EventRecord> {
        // Events of a whole database are not one subject's.
        if home.subject != nil, filter.keyID == nil { throw Refusal.notFound }
        let filter = filter.held(to: home)
        let cursor: UUID? = if case .after(let cursor) = page.position { cursor.id } else { nil }
        let events = try await platform.connection(home) { connection in
            if let id = filter.keyID { try await self.requireHistory(of: id, in: home, connection) }
            return try await EventStore(connection).list(filter, after: cursor, limit: page.limit + 1)
        }
        return Page(events, of: page) { PageCursor(createdAt: $0.occurredAt, id: $0.id) }
    }

    /// Every revocation of a key, which may be gone: who, when, why; newest first.
    ///
    /// - Throws: `Refusal.notFound` as `events` does.
    public func revocations(_ id: UUID, in home: KeyHome) async throws -> [EventRecord] {
        let filter = EventFilter(keyID: id, type: KeyEventType.revoked.rawValue)
        return try await events(filter, PageRequest(limit: 100), in: home).items
    }

    /// The place of a key in lists, which it keeps when it is revoked or deleted.
    ///
    /// - Throws: `Refusal.notFound` for a key that never was here.
    public func cursor(_ id: UUID, in home: KeyHome) async throws -> PageCursor {
        try await platform.connection(home) { connection in
            if let key = try await KeyStore(connection).find(id, in: home.keyOwner) {
                return PageCursor(createdAt: key.createdAt, id: id)
            }
            try await requireHistory(of: id, in: home, connection)
            let filter = EventFilter(keyID: id, type: KeyEventType.created.rawValue).held(to: home)
            guard let made = try await EventStore(connection).list(filter, after: nil, limit: 1).first else {
                throw Refusal.notFound
            }
            // A key and the event of its creation have the same time.
            return PageCursor(createdAt: made.occurredAt, id: id)
        }
    }

    /// Refuses unless a key is here, or was here when it was deleted.
    ///
    /// All keys of a database share one table of events, and of a deleted key that is all there is.
    private func requireHistory(of id: UUID, in home: KeyHome, _ connection: PostgresConnection) async throws {
        if try await KeyStore(connection).find(id, in: home.keyOwner) != nil { return }
        let events = EventStore(connection)
        let deletion = EventFilter(keyID: id, type: KeyEventType.deleted.rawValue).held(to: home)
        guard let end = try await events.list(deletion, after: nil, limit: 1).first else { throw Refusal.notFound }
        if let kind = end.member("kind") {
            guard home.keyOwner.keyKinds.contains(where: { $0.rawValue == kind }) else { throw Refusal.notFound }
        } else {
            // Deleted by a release that knew no client keys.
            guard home.keyOwner.keyKinds != [.client] else { throw Refusal.notFound }
        }
        guard let own = home.subject else { return }
        guard let subject = end.member("subject"), subject.utf8.elementsEqual(own.utf8) else { throw Refusal.notFound }
    }
}

extension PageRequest {
    /// The same for the store of keys.
    var place: KeyPlace {
        switch position {
        case .first: .newest(offset: 0)
        case .after(let cursor): .after(KeyCursor(createdAt: cursor.createdAt, id: cursor.id))
        case .before(let cursor): .before(KeyCursor(createdAt: cursor.createdAt, id: cursor.id))
        }
    }
}

extension EventFilter {
    /// The filter for the events of one home only.
    fileprivate func held(to home: KeyHome) -> EventFilter {
        var filter = self
        filter.organizationID = home.organizationID
        if case .platform = home.owner { filter.isPlatformOnly = true }
        return filter
    }
}
