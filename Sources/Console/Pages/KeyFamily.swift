import FoundationEssentials
import Keys
import Service
import Tenancy

/// A kind of keys with pages of its own.
enum KeyFamily: Sendable {
    /// The service keys of a workspace.
    case service
    /// The client keys of a workspace.
    case client
    /// The admin keys of the organization.
    case admin

    /// The template of the path of the list.
    var listPath: String {
        switch self {
        case .service: "/console/workspaces/{workspace}"
        case .client: "/console/workspaces/{workspace}/client-keys"
        case .admin: "/console/admin-keys"
        }
    }

    /// The template of the path below which a key has its page.
    var basePath: String { self == .service ? "/console/workspaces/{workspace}/keys" : listPath }

    /// The family's name in operation ids.
    var id: String {
        switch self {
        case .service: "ServiceKey"
        case .client: "ClientKey"
        case .admin: "AdminKey"
        }
    }

    /// The family's name in headings.
    var title: String {
        switch self {
        case .service: "Service keys"
        case .client: "Client keys"
        case .admin: "Admin keys"
        }
    }

    /// Returns the path of the list.
    ///
    /// A slug has no character that a path must escape.
    func list(_ slug: String) -> String { listPath.replacing("{workspace}", with: slug) }

    /// Returns the path below which a key has its page.
    func base(_ slug: String) -> String { basePath.replacing("{workspace}", with: slug) }
}

/// The keys that a page is about, and what the visitor can do with them.
struct KeyPageContext: Sendable {
    let family: KeyFamily
    let keys: KeyCollection
    let canWrite: Bool
    let canVerify: Bool
    let canSeeEvents: Bool

    /// True if the visitor gets new tokens here, by a new key or a rotation, which needs an active workspace.
    var canIssue: Bool { canWrite && (workspace.map { $0.state == .active } ?? true) }

    /// The workspace; `nil` for admin keys.
    var workspace: Workspace? { keys.workspace }

    /// The path of the list.
    var list: String { family.list(workspace?.slug ?? "") }

    /// The path below which a key has its page.
    var base: String { family.base(workspace?.slug ?? "") }

    /// The key that the path names, if it is not there.
    var missingKey: MissingObject { MissingObject(noun: "key", end: "deleted", list: list) }

    /// The values about the workspace and the rights that every template of keys has.
    var values: [String: Any] {
        var values: [String: Any] = [
            "list": list, "base": base, "canWrite": canWrite, "canIssue": canIssue, "canVerify": canVerify,
            "isService": family == .service,
            "isClient": family == .client, "isAdmin": family == .admin, "familyTitle": family.title,
            "isOfWorkspace": family != .admin,
            // The slug can be another workspace's when the form of a new key is sent.
            "formBase": family.base(workspace.map { UUIDv7.text(of: $0.id) } ?? ""),
        ]
        if let workspace { values["workspace"] = WorkspaceView.values(workspace) }
        return values
    }
}

extension Visit {
    /// Returns the keys that the path names, for a visitor with a permission.
    ///
    /// - Throws: `Refusal` if the visitor does not reach the keys.
    func scene(_ family: KeyFamily, _ permission: Permission) async throws -> KeyPageContext {
        let access = platform.access
        let keys =
            switch family {
            case .service:
                try await access.keys(ofWorkspace: request.parameter("workspace"), for: principal, permission)
            case .client:
                try await access.clientKeys(ofWorkspace: request.parameter("workspace"), for: principal, permission)
            case .admin: try await access.keys(ofOrganization: organization, for: principal, permission)
            }
        return KeyPageContext(
            family: family,
            keys: keys,
            canWrite: can(.keysWrite, family, keys),
            canVerify: family != .admin && can(.keysVerify, family, keys),
            canSeeEvents: can(.eventsRead, family, keys)
        )
    }

    /// Returns the workspaces that the visitor can see and choose from, newest first; at most 1,000.
    ///
    /// - Throws: `Refusal`, or the database's errors.
    func workspaces() async throws -> [Workspace] {
        try await platform.workspaces.listing(WorkspaceFilter(), limit: 1000, by: caller)
            .filter { $0.state != .deleting }
    }

    /// Returns true if the visitor has a permission in a workspace.
    func allows(_ permission: Permission, in workspace: UUID) -> Bool {
        (try? principal.require(permission, in: workspace)) != nil
    }

    private func can(_ permission: Permission, _ family: KeyFamily, _ keys: KeyCollection) -> Bool {
        guard let workspace = keys.workspaceID else { return (try? principal.requireWide(permission)) != nil }
        if family == .client { return (try? principal.clientKeys(in: workspace, permission, subject: nil)) != nil }
        return allows(permission, in: workspace)
    }
}
