import FoundationEssentials
public import KeyStore
import Keys
public import Tenancy

/// A key and its workspace.
public struct OwnedKey: Sendable {
    /// The key.
    public let key: KeyRecord
    /// The workspace; `nil` for an admin key, which belongs to the organization itself.
    public let workspace: Workspace?
}

/// The keys of a whole organization as one list, although each workspace has its own database.
extension KeyService {
    /// The number of databases that are read at once: half of those that a node manages at once, so that other tenants
    /// find a slot.
    private static let concurrency = 4

    /// Returns a page of an organization's admin keys and of the service keys of all its workspaces, newest first.
    ///
    /// Suspended and archived workspaces are included. Each database is asked for one row more than a page holds.
    ///
    /// - Parameters:
    ///   - page: The page.
    ///   - principal: The principal that sent the request. It must reach the whole organization.
    /// - Returns: The page.
    /// - Throws: `Refusal.workspaceUnavailable` if one of the databases cannot be read, because a list without its keys
    ///   would be wrong.
    public func ofOrganization(_ page: PageRequest, for principal: Principal) async throws -> Page<OwnedKey> {
        guard let organization = principal.organizationID else {
            throw Refusal.forbiddenKind("Keys inside a workspace need an admin key of the organization.")
        }
        let adminKeys = try await access.keys(
            ofOrganization: UUIDv7.text(of: organization),
            for: principal,
            .keysRead
        )
        var merged = KeyMerge(page)
        merged.add(try await rows(adminKeys, page))
        var position = PagePosition.first
        while true {
            let request = PageRequest(limit: 100, position)
            let workspaces = try await context.readControl { store in
                try await store.workspaces(
                    request,
                    WorkspaceFilter(organizationID: organization, states: [.active, .suspended, .archived])
                )
            }
            try await collect(workspaces.items, page, into: &merged)
            guard let next = workspaces.next else { break }
            position = .after(next)
        }
        return Page(merged.rows, of: page) { PageCursor(createdAt: $0.key.createdAt, id: $0.key.id) }
    }

    /// Reads the keys of some workspaces, a few at a time.
    private func collect(_ workspaces: [Workspace], _ page: PageRequest, into merged: inout KeyMerge) async throws {
        try await withThrowingTaskGroup(of: [OwnedKey].self) { group in
            var waiting = workspaces.makeIterator()
            func read(_ workspace: Workspace) {
                group.addTask {
                    try await self.rows(KeyCollection(owner: .workspace(workspace, tokenPrefix: nil)), page)
                }
            }
            for _ in 0..<Self.concurrency {
                if let workspace = waiting.next() { read(workspace) }
            }
            while let rows = try await group.next() {
                merged.add(rows)
                if let workspace = waiting.next() { read(workspace) }
            }
        }
    }

    /// Reads the keys of one database.
    private func rows(_ keys: KeyCollection, _ page: PageRequest) async throws -> [OwnedKey] {
        do {
            let rows = try await context.withConnection(to: keys.workspace?.facts) { connection in
                try await KeyStore(connection)
                    .list(in: keys.keyOwner, KeyFilter(), at: page.keyPosition, limit: page.limit + 1)
            }
            return rows.map { OwnedKey(key: withUses($0), workspace: keys.workspace) }
        } catch Refusal.notFound {
            // The database does not exist. That is right only if the workspace has been deleted meanwhile.
            guard let id = keys.workspaceID, try await !isDeleted(id) else { return [] }
            throw Refusal.workspaceUnavailable
        }
    }

    private func isDeleted(_ workspace: UUID) async throws -> Bool {
        let found = try await context.readControl { try await $0.workspace(workspace) }
        return found.map { $0.state == .deleting } ?? true
    }
}

/// The rows of several lists that are on one page, and one more.
private struct KeyMerge {
    private let limit: Int
    private let isBackward: Bool
    /// The rows, newest first.
    private(set) var rows: [OwnedKey] = []

    init(_ page: PageRequest) {
        limit = page.limit + 1
        isBackward = if case .before = page.position { true } else { false }
    }

    mutating func add(_ more: [OwnedKey]) {
        if more.isEmpty { return }
        let all = (rows + more).sorted { Self.isNewer($0.key, $1.key) }
        rows = Array(isBackward ? all.suffix(limit) : all.prefix(limit))
    }

    /// Compares in the order of the databases: by time, then by the bytes of the id.
    private static func isNewer(_ one: KeyRecord, _ other: KeyRecord) -> Bool {
        if one.createdAt != other.createdAt { return one.createdAt > other.createdAt }
        return one.id > other.id
    }
}
