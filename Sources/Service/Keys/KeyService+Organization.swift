import FoundationEssentials
public import KeyStore
import Keys
import Postgres
public import Tenancy

/// A key and where it lives.
public struct OwnedKey: Sendable {
    /// The key.
    public let key: KeyRecord
    /// The workspace; `nil` for an admin key, which belongs to the organization itself.
    public let workspace: Workspace?
}

/// The keys of a whole organization as one list, though each workspace keeps its own.
extension KeyService {
    /// How many databases are asked at once: half of those that a node manages at once, so that other tenants find a place.
    private static let width = 4

    /// One page of an organization's admin keys and of the service keys of all its workspaces, newest first.
    ///
    /// Suspended and archived workspaces are among them. Every database is asked for no more rows than a page has, and one more.
    ///
    /// - Parameters:
    ///   - page: which part.
    ///   - principal: who asks; it must reach the whole organization.
    /// - Returns: the page.
    /// - Throws: `Refusal.workspaceUnavailable` where one of the databases cannot be asked: a list that lacks its keys would be wrong.
    public func ofOrganization(_ page: PageRequest, for principal: Principal) async throws -> Page<OwnedKey> {
        guard let organization = principal.organizationID else {
            throw Refusal.forbiddenKind("The keys inside a workspace need an admin key of its organization.")
        }
        let adminHome = try await platform.access.keys(
            ofOrganization: UUIDv7.text(of: organization),
            for: principal,
            .keysRead
        )
        var merged = KeyMerge(page)
        merged.add(try await rows(adminHome, page))
        var position = PagePosition.first
        while true {
            let request = PageRequest(limit: 100, position)
            let workspaces = try await platform.databases.control.pool.withConnection { connection in
                try await platform.controlStore(connection)
                    .workspaces(
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

    /// Asks some workspaces, a few at a time.
    private func collect(_ workspaces: [Workspace], _ page: PageRequest, into merged: inout KeyMerge) async throws {
        try await withThrowingTaskGroup(of: [OwnedKey].self) { group in
            var waiting = workspaces.makeIterator()
            func ask(_ workspace: Workspace) {
                group.addTask { try await self.rows(KeyHome(owner: .workspace(workspace, tokenPrefix: nil)), page) }
            }
            for _ in 0..<Self.width {
                if let workspace = waiting.next() { ask(workspace) }
            }
            while let rows = try await group.next() {
                merged.add(rows)
                if let workspace = waiting.next() { ask(workspace) }
            }
        }
    }

    /// What one database contributes.
    private func rows(_ home: KeyHome, _ page: PageRequest) async throws -> [OwnedKey] {
        do {
            let keys = try await platform.connection(home) { connection in
                try await KeyStore(connection)
                    .list(
                        in: home.keyOwner,
                        KeyFilter(),
                        at: page.place,
                        limit: page.limit + 1
                    )
            }
            return keys.map { OwnedKey(key: $0, workspace: home.workspace) }
        } catch Refusal.notFound {
            // There is no such database. That is right only if the workspace has been deleted meanwhile.
            guard let id = home.workspaceID, try await !isGone(id) else { return [] }
            throw Refusal.workspaceUnavailable
        }
    }

    private func isGone(_ workspace: UUID) async throws -> Bool {
        let found = try await platform.databases.control.pool.withConnection { connection in
            try await platform.controlStore(connection).workspace(workspace)
        }
        return found.map { $0.state == .deleting } ?? true
    }
}

/// The rows of several lists that are on one page, and one more.
private struct KeyMerge {
    private let limit: Int
    private let isBackward: Bool
    /// Newest first.
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

    /// The order of the databases: by time, then by the bytes of the id.
    private static func isNewer(_ one: KeyRecord, _ other: KeyRecord) -> Bool {
        if one.createdAt != other.createdAt { return one.createdAt > other.createdAt }
        return one.id > other.id
    }
}
