import MortiseClient

extension Names {
    // MARK: Organizations

    /// Returns the path component for an organization, by its id or slug.
    ///
    /// Without a name, the organization of the credential.
    ///
    /// - Throws: `CommandFailure` of kind `usage` if there is no name and the credential belongs to no organization.
    func organization(_ name: String?) async throws -> String {
        guard let name else { return try await ownOrganization() }
        if let id = name.id { return id }
        note(.organization(name))
        return name
    }

    /// Returns the id of an organization, by its id or slug.
    func organizationID(_ name: String) async throws -> String {
        if let id = name.id { return id }
        return try await find(organization: name).id
    }

    private func ownOrganization() async throws -> String {
        if let knownOwnOrganization { return knownOwnOrganization }
        let identity = try await read { client throws(MortiseError) in try await client.me() }
        guard let id = identity.organizationID else {
            throw CommandFailure.usage(
                "An operator key belongs to no organization. Name one with --organization.",
                details: ["`mortise organization list` lists the organizations."]
            )
        }
        knownOwnOrganization = id
        return id
    }

    func find(organization name: String) async throws(CommandFailure) -> Mortise.Organization {
        do {
            return try await read { client throws(MortiseError) in try await client.organizations.get(name) }
        } catch  where error.isNotFound {
            throw await noOrganization(name)
        }
    }

    func noOrganization(_ name: String) async -> CommandFailure {
        let known = try? await read { client throws(MortiseError) in
            try await client.organizations.list(limit: 100).firstPage().items
        }
        return .missing("organization", name, near: (known ?? []).map { ($0.slug, $0.name) }, list: "organization list")
    }

    // MARK: Workspaces

    /// Returns the path component for a workspace, by its id, its slug, or `ORGANIZATION/SLUG`.
    ///
    /// - Throws: `CommandFailure` of kind `usage` if several organizations have a workspace with the slug, and `refused`
    ///   if there is no such workspace.
    func workspace(_ name: String) async throws -> String {
        if let id = name.id { return id }
        if name.contains("/") || isOperator { return try await workspaceID(name) }
        note(.workspace(name))
        return name
    }

    /// Returns the id of a workspace, by its id, its slug, or `ORGANIZATION/SLUG`.
    func workspaceID(_ name: String) async throws -> String {
        if let id = name.id { return id }
        if let known = knownWorkspace(name) { return known }
        let id = try await find(workspace: name)
        learnWorkspace(name, id)
        return id
    }

    /// Returns the id of a workspace of an organization, by its id, its slug, or `ORGANIZATION/SLUG`.
    ///
    /// An operator sees the workspaces of all organizations, of which many have the same slugs, so a slug alone means the one of the named
    /// organization.
    func workspaceID(_ name: String, in organization: String?) async throws -> String {
        guard isOperator, let organization, name.id == nil, !name.contains("/") else {
            return try await workspaceID(name)
        }
        return try await find(workspace: name, in: find(organization: organization))
    }

    private func find(workspace name: String) async throws -> String {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        switch parts.count {
        case 1: return try await find(workspace: name, in: nil)
        case 2 where !parts.contains(""):
            if let id = parts[1].id { return id }
            return try await find(workspace: parts[1], in: find(organization: parts[0]))
        default:
            throw CommandFailure.usage(
                "\"\(name)\" is not the name of a workspace: WORKSPACE or ORGANIZATION/WORKSPACE."
            )
        }
    }

    private func find(workspace slug: String, in organization: Mortise.Organization?) async throws -> String {
        let found = try await items(
            of: { $0.workspaces.list(organization: organization?.id, query: slug, limit: 100) },
            where: { $0.slug == slug }
        )
        if found.count > 1 {
            try await learnOrganizations(found.map(\.organizationID))
            let candidates = found.map { "\(organizationSlug($0.organizationID))/\($0.slug)" }
            throw CommandFailure.ambiguous("workspace", slug, candidates)
        }
        guard let workspace = found.first else { throw await noWorkspace(slug, in: organization) }
        return workspace.id
    }

    func noWorkspace(_ slug: String, in organization: Mortise.Organization? = nil) async -> CommandFailure {
        let known = try? await read { client throws(MortiseError) in
            try await client.workspaces.list(organization: organization?.id, limit: 100).firstPage().items
        }
        return .missing(
            "workspace",
            slug,
            in: organization.map { " in the organization \($0.slug)" } ?? "",
            near: (known ?? []).map { ($0.slug, $0.name ?? "") },
            list: "workspace list\(organization.map { " --organization \($0.slug)" } ?? "")"
        )
    }

    // MARK: Slugs for the output

    /// Looks up the slugs of organizations, for ``organizationSlug(_:)``.
    func learnOrganizations(_ ids: [String]) async throws {
        let asked = missing(ids, .organization)
        guard !asked.isEmpty else { return }
        let found = try? await items(of: { $0.organizations.list(limit: 100) }, where: { asked.contains($0.id) })
        learn(Dictionary((found ?? []).map { ($0.id, $0.slug) }) { $1 }, of: asked, .organization)
    }

    /// Looks up the slugs of workspaces, for ``workspaceSlug(_:)``.
    ///
    /// - Parameters:
    ///   - ids: The ids of the workspaces.
    ///   - organization: The id of their organization. `nil` looks in all that the credential can see.
    func learnWorkspaces(_ ids: [String], in organization: String? = nil) async {
        let asked = missing(ids, .workspace)
        guard !asked.isEmpty else { return }
        let found = try? await items(
            of: { $0.workspaces.list(organization: organization, limit: 100) },
            where: { asked.contains($0.id) }
        )
        learn(Dictionary((found ?? []).map { ($0.id, $0.slug) }) { $1 }, of: asked, .workspace)
    }
}
