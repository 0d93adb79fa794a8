import FoundationEssentials
import Keys
import Server
import ServerTestSupport
import Service
import Tenancy
import TestSupport
import Testing

/// The use cases check permissions themselves, whatever the surface has checked.
@Suite(.hangLimit) struct PermissionTests {
    /// Returns a principal with the given reach and permissions.
    private static func principal(_ reach: Principal.Reach, _ permissions: PermissionSet) -> Principal {
        Principal(
            keyID: UUID(),
            secretID: UUID(),
            name: "test",
            reach: reach,
            permissions: permissions,
            bounds: .unrestricted
        )
    }

    /// Returns all permissions in an organization except one.
    private static func all(but missing: Permission) -> PermissionSet {
        PermissionSet(names: PermissionSet.organization.names.filter { $0 != missing.rawValue }) ?? []
    }

    /// Expects a refusal that names the missing permission.
    private static func expectForbidden(
        _ wanted: Permission,
        _ what: Comment,
        at location: SourceLocation = #_sourceLocation,
        _ body: () async throws -> Void
    ) async {
        do {
            try await body()
            Issue.record("it was done: \(what)", sourceLocation: location)
        } catch Refusal.forbidden(let permission) {
            #expect(permission == wanted, what, sourceLocation: location)
        } catch {
            Issue.record("\(what): \(error)", sourceLocation: location)
        }
    }

    /// Expects a refusal for this kind of credential.
    private static func expectForbiddenKind(
        _ what: Comment,
        at location: SourceLocation = #_sourceLocation,
        _ body: () async throws -> Void
    ) async {
        do {
            try await body()
            Issue.record("it was done: \(what)", sourceLocation: location)
        } catch Refusal.forbiddenKind {
        } catch {
            Issue.record("\(what): \(error)", sourceLocation: location)
        }
    }

    /// Returns the id of the organization `default`.
    private func organization(_ mortise: ServerHarness) async throws -> UUID {
        let id = try await mortise.api.get("/v1/organizations/default", as: mortise.adminToken).string("id")
        return try #require(UUIDv7.parse(id))
    }

    @Test func `keys cannot be reached without the requested permission`() async throws {
        try await withMortise { mortise in
            let access = mortise.server.platform.access
            let own = Principal.Reach.organization(try await organization(mortise))
            for permission in [Permission.keysRead, .keysWrite, .eventsRead] {
                let caller = Self.principal(own, Self.all(but: permission))
                await Self.expectForbidden(permission, "service keys") {
                    _ = try await access.keys(ofWorkspace: "default", for: caller, permission)
                }
                await Self.expectForbidden(permission, "admin keys") {
                    _ = try await access.keys(ofOrganization: "default", for: caller, permission)
                }
            }
            await Self.expectForbidden(.keysVerify, "verdicts") {
                _ = try access.audience(of: Self.principal(own, Self.all(but: .keysVerify)))
            }
            let admin = Self.principal(own, .organization)
            await Self.expectForbiddenKind("operator keys") { _ = try access.keysOfPlatform(for: admin) }
            let weak = Self.principal(.platform, [])
            await Self.expectForbidden(.platform, "operator keys") { _ = try access.keysOfPlatform(for: weak) }
            await Self.expectForbidden(.platform, "admin keys") {
                _ = try await access.keys(ofOrganization: "default", for: weak, .keysRead)
            }
            let strong = Self.principal(.platform, [.platform])
            await Self.expectForbiddenKind("service keys") {
                _ = try await access.keys(ofWorkspace: "default", for: strong, .keysRead)
            }
            await Self.expectForbiddenKind("verdicts") { _ = try access.audience(of: strong) }
        }
    }

    @Test func `workspaces and organizations cannot be created or changed without the permission`() async throws {
        try await withMortise { mortise in
            let platform = mortise.server.platform
            let own = try await organization(mortise)
            let other = try await mortise.makeOrganization("Other")
            let before = try await mortise.api.get("/v1/workspaces", as: mortise.operatorToken)
            func caller(_ principal: Principal) -> Caller { Caller(principal: principal, address: nil, requestID: nil) }
            let limited = caller(Self.principal(.organization(own), Self.all(but: .workspacesWrite)))
            let new = NewWorkspace(organizationID: own, name: "New", slug: "new")
            await Self.expectForbidden(.workspacesWrite, "create") {
                _ = try await platform.workspaces.create(new, by: limited) { _ in "" }
            }
            await Self.expectForbidden(.workspacesWrite, "update") {
                _ = try await platform.workspaces.update("default", WorkspaceChange(), by: limited)
            }
            await Self.expectForbidden(.workspacesWrite, "suspend") {
                _ = try await platform.workspaces.suspend("default", by: limited)
            }
            await Self.expectForbidden(.workspacesWrite, "resume") {
                _ = try await platform.workspaces.resume("default", by: limited)
            }
            await Self.expectForbidden(.workspacesWrite, "archive") {
                _ = try await platform.workspaces.archive("default", by: limited)
            }
            await Self.expectForbidden(.workspacesWrite, "delete") {
                try await platform.workspaces.delete("default", by: limited)
            }
            let admin = caller(Self.principal(.organization(own), .organization))
            await Self.expectForbiddenKind("create organization") {
                _ = try await platform.organizations.create(NewOrganization(name: "New"), by: admin) { _ in "" }
            }
            let weak = caller(Self.principal(.platform, []))
            await Self.expectForbidden(.platform, "create organization") {
                _ = try await platform.organizations.create(NewOrganization(name: "New"), by: weak) { _ in "" }
            }
            await Self.expectForbidden(.platform, "list") {
                _ = try await platform.workspaces.list(PageRequest(limit: 1), WorkspaceFilter(), by: weak)
            }
            await Self.expectForbidden(.platform, "list") {
                _ = try await platform.organizations.list(PageRequest(limit: 1), query: nil, by: weak)
            }
            await Self.expectForbidden(.platform, "get") {
                _ = try await platform.workspaces.get(other.workspaceID, by: weak)
            }
            // A workspace of another organization is not found, instead of forbidden.
            let foreign = NewWorkspace(organizationID: try #require(UUIDv7.parse(other.id)), name: "New", slug: "new")
            let refusal = await #expect(throws: Refusal.self) {
                _ = try await platform.workspaces.create(foreign, by: admin) { _ in "" }
            }
            if case .notFound = refusal {} else { Issue.record("\(String(describing: refusal))") }
            let after = try await mortise.api.get("/v1/workspaces", as: mortise.operatorToken)
            #expect(after.json == before.json)
        }
    }
}
