import FoundationEssentials
import JSON
import KeyStore
import Keys
import Server
import ServerTestSupport
import Service
import Tenancy
import TestSupport
import Testing

/// Lists of keys by offset, and lists of all keys of an organization.
@Suite(.hangLimit) struct KeyListingTests {
    @Test func `a list counts the keys that match its filter, and a name is searched literally`() async throws {
        try await withMortise { mortise in
            let (keys, home) = (mortise.keyService, try await mortise.clientKeys())
            let caller = try await mortise.caller()
            var made: [String: UUID] = [:]
            for (name, subject) in [
                ("Build 50%", "user_1"), ("build_x", "user_1"), ("BUILD \\", "user_1"), ("deploy", "user_1"),
                ("build", "user_2"), ("%\u{301}", "user_1"),
            ] {
                var draft = KeyDraft(name: name, description: "build", kind: .client)
                draft.subject = subject
                draft.type = name == "deploy" ? "other" : "api_key"
                made[name] = try await mortise.createKey(draft, in: home).key.id
            }
            func names(_ filter: KeyFilter, _ offset: Int = 0, _ limit: Int = 100) async throws -> [String] {
                let listing = try await keys.listing(filter, offset: offset, limit: limit, in: home)
                return listing.keys.map(\.name)
            }
            #expect(
                try await names(KeyFilter(name: "BUILD", subject: "user_1")) == ["BUILD \\", "build_x", "Build 50%"]
            )
            #expect(try await names(KeyFilter(name: "0%")) == ["Build 50%"])
            #expect(try await names(KeyFilter(name: "d_")) == ["build_x"])
            #expect(try await names(KeyFilter(name: "\\")) == ["BUILD \\"])
            #expect(try await names(KeyFilter(name: "%\u{301}")) == ["%\u{301}"])
            #expect(try await names(KeyFilter(type: "other")) == ["deploy"])
            let page = try await keys.listing(KeyFilter(subject: "user_1"), offset: 1, limit: 2, in: home)
            #expect(page.keys.map(\.name) == ["deploy", "BUILD \\"])
            #expect(page.total == 5)
            #expect(try await names(KeyFilter(), 100) == [])
            #expect(try await keys.listing(KeyFilter(), offset: 100, limit: 1, in: home).total == 6)
            #expect(try await names(KeyFilter(), -1, 0) == ["%\u{301}"])

            let revoked = try #require(made["deploy"])
            _ = try await keys.revoke(revoked, reason: nil, in: home, by: caller)
            let expired = try #require(made["build_x"])
            _ = try await keys.deprecate(expired, reason: nil, grace: .none, in: home, by: caller)
            #expect(try await keys.listing(KeyFilter(isUsable: true), limit: 10, in: home).total == 4)
            #expect(try await names(KeyFilter(isUsable: false)) == ["deploy", "build_x"])
            for filter in KeyStatus.allCases.map({ KeyFilter(status: $0) }) {
                let found = try await keys.listing(filter, limit: 100, in: home).keys
                let now = try await mortise.databaseTime()
                #expect(found.allSatisfy { $0.status(at: now) == filter.status })
            }
        }
    }

    @Test func `an organization's keys form one list over all databases, in both directions`() async throws {
        try await withMortise { mortise in
            let (api, admin, keys) = (mortise.api, mortise.adminToken, mortise.keyService)
            let principal = try await mortise.caller().principal
            for name in ["One", "Two"] {
                let made = try await api.post(
                    "/v1/organizations/default/workspaces",
                    ["name": .string(name)],
                    as: admin
                )
                #expect(made.status == 201)
            }
            var names = ["First admin key"]
            for number in 0..<9 {
                let workspace = ["default", "one", "two"][number % 3]
                _ = try await mortise.makeKey("k\(number)", in: workspace)
                names.append("k\(number)")
            }
            let acme = try await mortise.makeOrganization("Acme")
            _ = try await mortise.makeKey("foreign", in: acme.workspaceID, as: acme.token)
            names.reverse()

            let whole = try await keys.ofOrganization(PageRequest(limit: 100), for: principal)
            #expect(whole.items.map(\.key.name) == names)
            #expect(!whole.hasMore)
            #expect(whole.items.map { $0.workspace?.slug }.prefix(4) == ["two", "one", "default", "two"])
            #expect(whole.items.last?.workspace == nil)

            for limit in [1, 3, 4, 10] {
                var forward: [String] = []
                var position = PagePosition.first
                while true {
                    let page = try await keys.ofOrganization(PageRequest(limit: limit, position), for: principal)
                    forward += page.items.map(\.key.name)
                    #expect(page.hasMore == (page.next != nil))
                    guard let next = page.next else { break }
                    position = .after(next)
                }
                #expect(forward == names, "\(limit)")
                var backward: [String] = []
                let last = try #require(whole.items.last?.key)
                position = .before(PageCursor(createdAt: last.createdAt, id: last.id))
                while true {
                    let page = try await keys.ofOrganization(PageRequest(limit: limit, position), for: principal)
                    backward = page.items.map(\.key.name) + backward
                    guard let next = page.next else { break }
                    position = .before(next)
                }
                #expect(backward == names.dropLast(), "\(limit)")
            }

            // A deleted key still serves as a cursor.
            let third = whole.items[3]
            let home = try await mortise.serviceKeys(of: third.workspace?.slug)
            let cursor = try await keys.cursor(third.key.id, in: home)
            try await keys.delete(third.key.id, in: home, by: try await mortise.caller())
            #expect(try await keys.cursor(third.key.id, in: home) == cursor)
            let after = try await keys.ofOrganization(PageRequest(limit: 2, .after(cursor)), for: principal)
            #expect(after.items.map(\.key.name) == Array(names[4...5]))
            let before = try await keys.ofOrganization(PageRequest(limit: 2, .before(cursor)), for: principal)
            #expect(before.items.map(\.key.name) == Array(names[1...2]))
            #expect(before.hasMore)
            let unknown = try #require(UUIDv7.parse("0198c0de-0000-7000-8000-00000000abcd"))
            #expect(try await refusal { try await keys.cursor(unknown, in: home) } == "notFound")
        }
    }

    @Test func `the keys of one workspace can be paged in both directions`() async throws {
        try await withMortise { mortise in
            let (keys, home) = (mortise.keyService, try await mortise.serviceKeys())
            for number in 0..<5 { _ = try await mortise.makeKey("k\(number)") }
            let all = try await keys.list(KeyFilter(), PageRequest(), in: home).items
            let oldest = try #require(all.last)
            let end = PageCursor(createdAt: oldest.createdAt, id: oldest.id)
            let page = try await keys.list(KeyFilter(), PageRequest(limit: 2, .before(end)), in: home)
            #expect(page.items.map(\.name) == ["k2", "k1"])
            #expect(page.hasMore)
            let next = try #require(page.next)
            let rest = try await keys.list(KeyFilter(), PageRequest(limit: 2, .before(next)), in: home)
            #expect(rest.items.map(\.name) == ["k4", "k3"])
            #expect(!rest.hasMore)
        }
    }

    // A list without the keys of an unavailable workspace would look as if those keys were deleted.
    @Test func `an unavailable workspace makes the list of the organization's keys fail`() async throws {
        try await withMortise { mortise in
            let (keys, principal) = (mortise.keyService, try await mortise.caller().principal)
            let made = try await mortise.api.post(
                "/v1/organizations/default/workspaces",
                ["name": "Other"],
                as: mortise.adminToken
            )
            #expect(made.status == 201)
            _ = try await mortise.makeKey("down", in: "other")
            let database = try await mortise.workspaceDatabase("other")
            try await mortise.cutOff(database)
            let refused = try await refusal { try await keys.ofOrganization(PageRequest(), for: principal) }
            #expect(refused == "workspaceUnavailable")
            try await mortise.restore(database)
            try await eventually("the workspace is back") {
                let page = try? await keys.ofOrganization(PageRequest(), for: principal)
                return page?.items.count == 2
            }
        }
    }

    @Test func `a workspace reference resolves to its keys, and a foreign reference is not found`() async throws {
        try await withMortise { mortise in
            let access = mortise.server.platform.access
            let principal = try await mortise.caller().principal
            let own = try await access.keys(at: try await mortise.serviceKeys().ref, for: principal, .keysRead)
            #expect(own.workspace?.slug == "default")
            let root = try await access.keys(at: .root, for: principal, .keysRead)
            #expect(root.organizationID == principal.organizationID)
            let acme = try await mortise.makeOrganization("Acme")
            let foreign = try await mortise.caller(acme.token)
            let home = try await access.keys(ofWorkspace: nil, for: foreign.principal, .keysRead)
            #expect(try await refusal { try await access.keys(at: home.ref, for: principal, .keysRead) } == "notFound")
            let unknown = try #require(WorkspaceRef("00zzzzzz"))
            #expect(try await refusal { try await access.keys(at: unknown, for: principal, .keysRead) } == "notFound")
        }
    }
}
