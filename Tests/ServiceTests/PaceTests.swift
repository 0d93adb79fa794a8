import FoundationEssentials
import JSON
import KeyStore
import Keys
import Server
import ServerTestSupport
import Tenancy
import TestSupport
import Testing

@testable import Service

/// The pace of what occupies the processors and the disk that all tenants share.
@Suite(.hangLimit) struct PaceTests {
    /// A text of 100 bytes that is a scope.
    private static func scope(_ number: Int) -> String {
        "\(number)\(String(repeating: "v", count: 36)):\(String(repeating: "r", count: 60))"
    }

    // The attack: a tenant reads long lists one after the other, of whatever kind.
    @Test func `every long list of keys, events or workspaces costs time, and a short one does not`() async throws {
        try await withMortise(configure: { $0.quotas.listBytes = 200_000 }) { mortise in
            let (keys, home) = (mortise.keyService, try await mortise.serviceKeys())
            let (workspaces, caller) = (mortise.server.platform.workspaces, try await mortise.caller())
            func costs(_ list: () async throws -> Void) async throws -> Bool {
                let pace = keys.context.listPace
                let before = pace.due(of: home.owningOrganizationID)
                try await list()
                return pace.due(of: home.owningOrganizationID) != before
            }
            let page = PageRequest(limit: 10)
            func expect(_ isLong: Bool) async throws {
                let costsOfAll = [
                    try await costs { _ = try await keys.list(KeyFilter(), page, in: home) },
                    try await costs { _ = try await keys.browse(KeyBrowse(), limit: 10, in: home) },
                    try await costs { _ = try await keys.listing(KeyFilter(), limit: 10, in: home) },
                    try await costs { _ = try await keys.events(EventFilter(), page, in: home) },
                    try await costs { _ = try await workspaces.listing(WorkspaceFilter(), limit: 10, by: caller) },
                ]
                #expect(costsOfAll == Array(repeating: isLong, count: 5))
            }
            try await expect(false)
            let scopes = JSONValue.array((0..<80).map { .string(Self.scope($0)) })
            _ = try await mortise.makeKey("fat", ["scopes": scopes])
            let metadata: JSONValue = ["note": .string(String(repeating: "x", count: 7_000))]
            let tenant: JSONValue = ["name": "fat", "slug": "fat", "metadata": metadata]
            #expect(try await mortise.fluxbase.post("/admin/tenants", tenant).status == 201)
            try await expect(true)
        }
    }

    // The attack: a tenant makes a list so long that it is refused, which comes after it was read.
    @Test func `a list that is refused for its length costs time, too`() async throws {
        try await withMortise(configure: { $0.quotas.listBytes = 1_000 }) { mortise in
            let (keys, home) = (mortise.keyService, try await mortise.serviceKeys())
            _ = try await mortise.makeKey("fat", ["scopes": .array((0..<11).map { .string(Self.scope($0)) })])
            await #expect(throws: Refusal.self) { try await keys.listing(KeyFilter(), limit: 10, in: home) }
            #expect(keys.context.listPace.due(of: home.owningOrganizationID) != nil)
        }
    }

    // The attack: a tenant creates one workspace after the other, and PostgreSQL copies databases all the time.
    @Test func `a new workspace costs its organization time`() async throws {
        try await withMortise { mortise in
            let acme = try await mortise.makeOrganization("Acme")
            let pace = mortise.keyService.context.workspacePace
            #expect(pace.count == 0)
            _ = try await mortise.makeWorkspace("Billing", as: acme.token, organization: "acme")
            #expect(pace.count == 1)
        }
    }
}
