import FoundationEssentials
import KeyStore
import Keys
import Postgres
import Tenancy
import TestSupport
import Testing

/// The rows of a control database over one connection.
///
/// Each change is a transaction of its own.
private struct ControlRows {
    let connection: PostgresConnection
    let installation: Installation

    var store: ControlStore { ControlStore(connection) }

    private func write<T>(_ body: (ControlWriter) async throws -> T) async throws -> T {
        try await connection.auditedTransaction { try await body(ControlWriter($0, installation: installation)) }
    }

    func createOrganization(_ new: NewOrganization, by attribution: Attribution) async throws -> Organization {
        try await write { try await $0.createOrganization(new, by: attribution) }
    }

    func updateOrganization(
        _ id: UUID,
        _ change: OrganizationChange,
        by attribution: Attribution
    ) async throws -> Organization {
        try await write { try await $0.updateOrganization(id, change, by: attribution) }
    }

    func createWorkspace(_ new: NewWorkspace, by attribution: Attribution) async throws -> Workspace {
        try await write { try await $0.createWorkspace(new, by: attribution) }
    }

    func updateWorkspace(_ id: UUID, _ change: WorkspaceChange, by attribution: Attribution) async throws -> Workspace {
        try await write { try await $0.updateWorkspace(id, change, by: attribution) }
    }
}

@Suite(.hangLimit) struct ControlStoreTests {
    private func withRows(_ body: (ControlRows) async throws -> Void) async throws {
        try await withInstallation { test in
            _ = try await test.bootstrap()
            // The runtime role is used, so a missing privilege makes the tests fail.
            try await test.withRuntime(test.owner.database ?? "") { runtime in
                try await body(ControlRows(connection: runtime, installation: test.installation))
            }
        }
    }

    private func code(_ body: () async throws -> Void) async throws -> TenancyError.Code? {
        do {
            try await body()
            return nil
        } catch let error as TenancyError {
            return error.code
        }
    }

    @Test func `organizations are created, found and changed`() async throws {
        try await withRows { rows in
            let by = Attribution(actor: "somebody")
            let made = try await rows.createOrganization(
                NewOrganization(name: "Acme Inc.", tokenPrefix: "acm"),
                by: by
            )
            #expect(made.slug == "acme-inc")
            #expect(try await rows.store.organization(made.id) == made)
            #expect(try await rows.store.organization(slug: "acme-inc") == made)
            let change = OrganizationChange(name: "Acme", tokenPrefix: .some(nil))
            let changed = try await rows.updateOrganization(made.id, change, by: by)
            #expect(changed.name == "Acme")
            #expect(changed.tokenPrefix == nil)
            #expect(changed.slug == "acme-inc")
            let unknown = try await code {
                _ = try await rows.updateOrganization(UUIDv7.make(at: .earliest, random: (0, 0)), change, by: by)
            }
            #expect(unknown == .unknownOrganization)
        }
    }

    @Test func `an event contains exactly the changed values`() async throws {
        try await withInstallation { test in
            _ = try await test.bootstrap()
            let made = try await test.write {
                try await $0.createOrganization(NewOrganization(name: "Acme"), by: .system)
            }
            _ = try await test.write {
                try await $0.updateOrganization(made.id, OrganizationChange(name: "New \"name\""), by: .system)
            }
            let changes = try await test.withDatabase(test.owner.database ?? "") {
                try await $0.texts("SELECT changes::text FROM auth.key_events WHERE type = 'organization.updated'")
            }
            #expect(changes == [#"{"name": {"to": "New \"name\"", "from": "Acme"}}"#])
        }
    }

    @Test func `a requested slug that exists is refused, and a derived slug gets a suffix`() async throws {
        try await withRows { rows in
            let first = try await rows.createOrganization(NewOrganization(name: "Acme"), by: .system)
            let second = try await rows.createOrganization(NewOrganization(name: "ACME"), by: .system)
            #expect(first.slug == "acme")
            #expect(second.slug.hasPrefix("acme-"))
            let taken = try await code {
                _ = try await rows.createOrganization(NewOrganization(name: "x", slug: "acme"), by: .system)
            }
            #expect(taken == .slugTaken)
            let changed = try await code {
                _ = try await rows.updateOrganization(second.id, OrganizationChange(slug: "acme"), by: .system)
            }
            #expect(changed == .slugTaken)
        }
    }

    @Test func `a slug is unique within its organization`() async throws {
        try await withRows { rows in
            let a = try await rows.createOrganization(NewOrganization(name: "a"), by: .system)
            let b = try await rows.createOrganization(NewOrganization(name: "b"), by: .system)
            let inA = try await rows.createWorkspace(
                NewWorkspace(organizationID: a.id, slug: "x", isDefault: true),
                by: .system
            )
            _ = try await rows.createWorkspace(NewWorkspace(organizationID: b.id, slug: "x"), by: .system)
            let again = try await code {
                _ = try await rows.createWorkspace(NewWorkspace(organizationID: a.id, slug: "x"), by: .system)
            }
            #expect(again == .slugTaken)
            let second = try await code {
                _ = try await rows.createWorkspace(NewWorkspace(organizationID: a.id, isDefault: true), by: .system)
            }
            #expect(second == .defaultExists)
            #expect(try await rows.store.organization(a.id)?.defaultWorkspaceID == inA.id)
            #expect(try await rows.store.workspace(slug: "x", organization: a.id)?.id == inA.id)
            #expect(try await rows.store.defaultWorkspace(of: b.id) == nil)
        }
    }

    @Test func `a workspace's name, slug and retention can be changed, and its name removed`() async throws {
        try await withRows { rows in
            let owner = try await rows.createOrganization(NewOrganization(name: "a"), by: .system)
            let made = try await rows.createWorkspace(NewWorkspace(organizationID: owner.id, name: "w"), by: .system)
            #expect(made.dataRetention == #"{"unit": "days", "value": 7}"#)
            let retention = #"{"unit": "hours", "value": 1}"#
            let change = WorkspaceChange(name: .some(nil), slug: "new", dataRetention: retention)
            let changed = try await rows.updateWorkspace(made.id, change, by: .system)
            #expect(changed.name == nil)
            #expect(changed.slug == "new")
            #expect(changed.dataRetention == retention)
            for wrong in ["[]", "{", ""] {
                let code = try await self.code {
                    _ = try await rows.updateWorkspace(made.id, WorkspaceChange(dataRetention: wrong), by: .system)
                }
                #expect(code == .invalid, "\(wrong)")
            }
        }
    }

    @Test func `a workspace's metadata is stored, and an event says only that it changed`() async throws {
        try await withInstallation { test in
            _ = try await test.bootstrap()
            let noted = #"{"plan": "pro"}"#
            let made = try await test.write { rows in
                let owner = try await rows.createOrganization(NewOrganization(name: "a"), by: .system)
                let plain = NewWorkspace(organizationID: owner.id, name: "p")
                #expect(try await rows.createWorkspace(plain, by: .system).metadata == "{}")
                let new = NewWorkspace(organizationID: owner.id, name: "w", metadata: noted)
                return try await rows.createWorkspace(new, by: .system)
            }
            #expect(made.metadata == noted)
            let changed = try await test.write { rows in
                try await rows.updateWorkspace(made.id, WorkspaceChange(metadata: #"{"plan": "free"}"#), by: .system)
            }
            #expect(changed.metadata == #"{"plan": "free"}"#)
            let renamed = try await test.write { rows in
                try await rows.updateWorkspace(made.id, WorkspaceChange(slug: "other"), by: .system)
            }
            #expect(renamed.metadata == changed.metadata)
            let code = try await self.code {
                _ = try await test.write { rows in
                    try await rows.updateWorkspace(made.id, WorkspaceChange(metadata: "[]"), by: .system)
                }
            }
            #expect(code == .invalid)
            let changes = try await test.withDatabase(test.owner.database ?? "") {
                try await $0.texts(
                    "SELECT changes::text FROM auth.key_events WHERE type = 'workspace.updated' ORDER BY id"
                )
            }
            #expect(changes == [#"{"metadata": "changed"}"#, #"{"slug": {"to": "other", "from": "w"}}"#])
        }
    }

    @Test(arguments: ["", "nul\0", String(repeating: "x", count: 256)])
    func `an invalid name is refused with the field's name`(name: String) async throws {
        try await withRows { rows in
            let error = await #expect(throws: TenancyError.self) {
                try await rows.createOrganization(NewOrganization(name: name), by: .system)
            }
            #expect(error?.field == "name")
        }
    }

    // A list whose pages shift after an insertion would repeat or skip an item.
    @Test func `pages in both directions return each item once while new items are inserted`() async throws {
        try await withRows { rows in
            for index in 0..<5 {
                _ = try await rows.createOrganization(NewOrganization(name: "o\(index)"), by: .system)
            }
            let first = try await rows.store.organizations(PageRequest(limit: 2))
            #expect(first.items.map(\.name) == ["o4", "o3"])
            _ = try await rows.createOrganization(NewOrganization(name: "o5"), by: .system)
            let second = try await rows.store.organizations(PageRequest(limit: 2, .after(try #require(first.next))))
            #expect(second.items.map(\.name) == ["o2", "o1"])
            let third = try await rows.store.organizations(PageRequest(limit: 2, .after(try #require(second.next))))
            #expect(third.items.map(\.name) == ["o0"])
            #expect(third.next == nil && !third.hasMore)
            let last = try #require(third.items.first)
            let cursor = PageCursor(createdAt: last.createdAt, id: last.id)
            let back = try await rows.store.organizations(PageRequest(limit: 2, .before(cursor)))
            #expect(back.items.map(\.name) == ["o2", "o1"])
            #expect(back.hasMore)
        }
    }

    @Test func `workspaces are filtered by organization, state, part of the name and its beginning`() async throws {
        try await withRows { rows in
            let a = try await rows.createOrganization(NewOrganization(name: "a"), by: .system)
            let b = try await rows.createOrganization(NewOrganization(name: "b"), by: .system)
            for (owner, name) in [(a, "Alpha"), (a, "alphabet"), (a, "beta 100%"), (b, "alpha")] {
                _ = try await rows.createWorkspace(NewWorkspace(organizationID: owner.id, name: name), by: .system)
            }
            func names(_ filter: WorkspaceFilter) async throws -> [String?] {
                try await rows.store.workspaces(PageRequest(), filter).items.map(\.name)
            }
            #expect(try await names(WorkspaceFilter()).count == 4)
            #expect(try await names(WorkspaceFilter(organizationID: a.id)) == ["beta 100%", "alphabet", "Alpha"])
            #expect(try await names(WorkspaceFilter(organizationID: a.id, query: "LPHA")) == ["alphabet", "Alpha"])
            #expect(try await names(WorkspaceFilter(query: "%")) == ["beta 100%"])
            #expect(try await names(WorkspaceFilter(namePrefix: "ALPHA")).count == 3)
            #expect(try await names(WorkspaceFilter(states: [.active])).isEmpty)
            #expect(try await names(WorkspaceFilter(states: [.creating, .active])).count == 4)
        }
    }
}
