public import FoundationEssentials
import JSON
public import KeyStore
import Keys
import Postgres
public import Tenancy

/// A part of a list of keys, by offset instead of by cursor.
public struct KeyListing: Sendable {
    /// The keys, newest first.
    public let keys: [KeyRecord]
    /// The number of keys that match the filter.
    public let total: Int
    /// The bytes of the texts that the owners of these keys chose.
    public let textBytes: Int
}

extension KeyService {
    /// Returns a page of keys, newest first whatever the direction.
    ///
    /// - Throws: `Refusal.conflict` if the keys have too many bytes, `Refusal.workspaceUnavailable`, `capacityExceeded` if too many
    ///   long lists wait, or the database's errors.
    public func list(_ filter: KeyFilter, _ page: PageRequest, in keys: KeyCollection) async throws -> Page<KeyRecord> {
        let rows = try await context.withConnection(to: keys.workspace?.facts) { connection in
            try await KeyStore(connection).list(in: keys.keyOwner, filter, at: page.keyPosition, limit: page.limit + 1)
        }
        try await admit(bytes: rows.textBytes, in: keys)
        return Page(rows.map(withUses), of: page) { PageCursor(createdAt: $0.createdAt, id: $0.id) }
    }

    /// Returns a page of keys in any order.
    ///
    /// - Throws: `Refusal.conflict` if the keys have too many bytes, `Refusal.workspaceUnavailable`, `capacityExceeded` if too many
    ///   long lists wait, or the database's errors.
    public func list(_ browse: KeyBrowse, limit: Int, in keys: KeyCollection) async throws -> KeyBrowsePage {
        let page = try await self.browse(browse, limit: limit, in: keys)
        try requireShort(bytes: page.keys.textBytes)
        return page
    }

    /// The maximum number of keys in a listing.
    public static let longestListing = 10_000

    /// Returns keys by offset, newest first, with their total.
    ///
    /// The parameters and errors are those of ``withListing(_:offset:limit:in:_:)``.
    public func listing(
        _ filter: KeyFilter,
        offset: Int = 0,
        limit: Int,
        in keys: KeyCollection
    ) async throws -> KeyListing {
        try await withListing(filter, offset: offset, limit: limit, in: keys) { $0 }
    }

    /// Reads keys by offset, newest first, with their total, and uses them.
    ///
    /// The listings of a workspace are read and used one after the other: the one that is read can occupy a processor of the PostgreSQL
    /// server, and the one that is written another processor.
    ///
    /// - Parameters:
    ///   - filter: The filter.
    ///   - offset: The number of newest keys to leave out; at least 0.
    ///   - limit: The maximum number of keys; 1 to 10 000.
    ///   - keys: The collection.
    ///   - use: Uses the keys and their total. No connection is held meanwhile.
    /// - Returns: The value that `use` returned.
    /// - Throws: `Refusal.conflict` if the keys have too many bytes, `Refusal.workspaceUnavailable`, `capacityExceeded` if too many
    ///   listings wait, the database's errors, and the errors of `use`.
    public func withListing<T>(
        _ filter: KeyFilter,
        offset: Int = 0,
        limit: Int,
        in keys: KeyCollection,
        _ use: (KeyListing) async throws -> T
    ) async throws -> T {
        let limit = min(max(limit, 1), Self.longestListing)
        // Before the connection, so that a caller that waits keeps none from others.
        return try await context.listings.withPlace(of: keys.workspace?.id ?? keys.owningOrganizationID) {
            let listing = try await context.withConnection(to: keys.workspace?.facts) { connection in
                try await read(filter, offset: max(offset, 0), limit: limit, in: keys, KeyStore(connection))
            }
            try await admit(bytes: listing.textBytes, in: keys)
            return try await use(listing)
        }
    }

    /// Reads keys in parts, so that other requests of the thread have their turn between them.
    ///
    /// Little more of a list is read than it may have.
    private func read(
        _ filter: KeyFilter,
        offset: Int,
        limit: Int,
        in keys: KeyCollection,
        _ store: KeyStore
    ) async throws -> KeyListing {
        var rows: [KeyRecord] = []
        var position = KeyPosition.newest(offset: offset)
        var parts = ListingParts()
        while rows.count < limit {
            let part = min(parts.next, limit - rows.count)
            let more = try await store.list(in: keys.keyOwner, filter, at: position, limit: part)
            rows += more.map(withUses)
            parts.note(keys: more.count, bytes: more.textBytes)
            guard parts.bytes <= context.quotas.listBytes, more.count == part, let last = more.last else { break }
            position = .after(KeyCursor(createdAt: last.createdAt, id: last.id))
        }
        let total = try await store.count(in: keys.keyOwner, filter)
        return KeyListing(keys: rows, total: total, textBytes: parts.bytes)
    }

    /// Waits for the turn of a list that has been read, and throws if its keys have more bytes than a list may have.
    ///
    /// A list that is refused has been read, too.
    private func admit(bytes: Int, in keys: KeyCollection) async throws {
        try await context.awaitTurn(of: keys.owningOrganizationID, listBytes: bytes)
        try requireShort(bytes: bytes)
    }

    /// Throws if the keys of a list have more bytes than a list may have.
    private func requireShort(bytes: Int) throws(Refusal) {
        let limit = context.quotas.listBytes
        guard bytes > limit else { return }
        throw .conflict(
            "The keys of this list have more than \(limit) bytes. Ask for fewer keys or for those of one subject, or delete some."
        )
    }

    /// The maximum number of rows of a file of keys or events.
    public var longestFile: Int { context.quotas.fileRows }

    /// Throws if a file of keys or events has more bytes than a list may have.
    public func requireShort(fileOf bytes: Int) throws(Refusal) {
        let limit = context.quotas.listBytes
        guard bytes > limit else { return }
        throw .conflict("The file would have more than \(limit) bytes. Filter the list, so that the file gets shorter.")
    }

    /// Returns a page of events, newest first: of one key, which may have been deleted, or of all keys of the
    /// collection.
    ///
    /// Events of the keys inside a workspace get the workspace's organization, which their rows do not have.
    ///
    /// - Throws: `Refusal.notFound` for a key that is not in the collection and was not when it was deleted; `conflict` if the events
    ///   have too many bytes; `capacityExceeded` if too many long lists wait.
    public func events(
        _ filter: EventFilter,
        _ page: PageRequest,
        in keys: KeyCollection
    ) async throws -> Page<EventRecord> {
        // The events of a whole database do not belong to one subject.
        if keys.subject != nil, filter.keyID == nil { throw Refusal.notFound }
        let filter = filter.confined(to: keys)
        let cursor: UUID? = if case .after(let cursor) = page.position { cursor.id } else { nil }
        let events = try await context.withConnection(to: keys.workspace?.facts) { connection in
            if let id = filter.keyID { try await requireHistory(of: id, in: keys, connection) }
            return try await EventStore(connection).list(filter, after: cursor, limit: page.limit + 1)
        }
        let (limit, bytes) = (context.quotas.listBytes, events.reduce(0) { $0 + $1.changes.utf8.count })
        try await context.awaitTurn(of: keys.owningOrganizationID, listBytes: bytes)
        guard bytes <= limit else {
            throw Refusal.conflict("The events of this list have more than \(limit) bytes. Ask for fewer events.")
        }
        let owned = events.map { $0.owned(by: keys.owningOrganizationID) }
        return Page(owned, of: page) { PageCursor(createdAt: $0.occurredAt, id: $0.id) }
    }

    /// Returns every revocation of a key, which may have been deleted, newest first.
    ///
    /// - Throws: The errors of ``events(_:_:in:)``.
    public func revocations(_ id: UUID, in keys: KeyCollection) async throws -> [EventRecord] {
        let filter = EventFilter(keyID: id, type: EventType.revoked.rawValue)
        return try await events(filter, PageRequest(limit: 100), in: keys).items
    }

    /// Returns a key's cursor in lists, which stays when the key is revoked or deleted.
    ///
    /// - Throws: `Refusal.notFound` for a key that never was in the collection.
    public func cursor(_ id: UUID, in keys: KeyCollection) async throws -> PageCursor {
        try await context.withConnection(to: keys.workspace?.facts) { connection in
            if let key = try await KeyStore(connection).find(id, in: keys.keyOwner) {
                return PageCursor(createdAt: key.createdAt, id: id)
            }
            try await requireHistory(of: id, in: keys, connection)
            let filter = EventFilter(keyID: id, type: EventType.created.rawValue).confined(to: keys)
            guard let created = try await EventStore(connection).list(filter, after: nil, limit: 1).first else {
                throw Refusal.notFound
            }
            // A key and the event of its creation have the same time.
            return PageCursor(createdAt: created.occurredAt, id: id)
        }
    }

    /// Throws unless a key is in the collection, or was when it was deleted.
    ///
    /// All keys of a database share one table of events, and of a deleted key nothing else is left.
    private func requireHistory(of id: UUID, in keys: KeyCollection, _ connection: PostgresConnection) async throws {
        if try await KeyStore(connection).find(id, in: keys.keyOwner) != nil { return }
        let filter = EventFilter(keyID: id, type: EventType.deleted.rawValue).confined(to: keys)
        guard let deletion = try await EventStore(connection).list(filter, after: nil, limit: 1).first else {
            throw Refusal.notFound
        }
        if let kind = deletion.text("kind") {
            guard keys.keyOwner.keyKinds.contains(where: { $0.rawValue == kind }) else { throw Refusal.notFound }
        } else {
            // A release that had no client keys deleted it.
            guard !keys.isOfClients else { throw Refusal.notFound }
        }
        guard let own = keys.subject else { return }
        guard let subject = deletion.text("subject"), subject.utf8.elementsEqual(own.utf8) else {
            throw Refusal.notFound
        }
    }
}

extension PageRequest {
    /// The part of a list of keys that the page is.
    var keyPosition: KeyPosition {
        switch position {
        case .first: .newest(offset: 0)
        case .after(let cursor): .after(KeyCursor(createdAt: cursor.createdAt, id: cursor.id))
        case .before(let cursor): .before(KeyCursor(createdAt: cursor.createdAt, id: cursor.id))
        }
    }
}

extension EventFilter {
    /// Returns the filter for the events of one collection.
    fileprivate func confined(to keys: KeyCollection) -> EventFilter {
        var filter = self
        switch keys.owner {
        case .workspace, .clients: filter.scope = .database
        case .organization(let id): filter.scope = .organization(id)
        case .platform: filter.scope = .platform
        }
        return filter
    }
}

extension EventRecord {
    /// Returns the event with an organization, unless it has one.
    fileprivate func owned(by organization: UUID?) -> EventRecord {
        var event = self
        event.organizationID = organizationID ?? organization
        return event
    }

    /// Returns a member of the changes that is a text.
    fileprivate func text(_ name: String) -> String? {
        (try? JSONValue(parsing: changes.utf8))?[name]?.string
    }
}

extension [KeyRecord] {
    /// The bytes of the texts that the owners chose.
    var textBytes: Int { reduce(0) { $0 + $1.textBytes } }
}

extension KeyRecord {
    /// The bytes of the texts that the owner chose.
    fileprivate var textBytes: Int {
        let texts = [name, description, metadata, claims, type, subject, deprecationReason, revocationReason]
        let lists = [scopes, permissions, allowedNamespaces ?? [], allowedAddresses]
        return texts.reduce(0) { $0 + ($1?.utf8.count ?? 0) }
            + lists.joined().reduce(0) { $0 + $1.utf8.count }
    }
}
