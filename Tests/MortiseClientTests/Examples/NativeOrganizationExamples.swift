import MortiseClient

/// The examples in `Organization.swift`.
enum NativeOrganizationExamples {
    static func example1(_ client: Mortise) async throws {
        let organization = try await client.organizations.get("acme")
        print(organization.name, organization.slug, organization.createdAt, organization.updatedAt)
        if let prefix = organization.tokenPrefix { print("Its tokens begin with", prefix) }
        if let id = organization.defaultWorkspaceID { print(try await client.workspaces.get(id).slug) }
        let adminKeys = try await client.keys(.admin(organization: organization.id)).list().all()
        print(adminKeys.map(\.name))
    }

    static func example2(_ client: Mortise) async throws {
        let founded = try await client.organizations.create(name: "Acme")
        let acme = Mortise(url: client.url, credential: .token(founded.token))
        let keys = acme.keys(.service(workspace: founded.defaultWorkspace.slug))
        let issued = try await keys.create(Mortise.KeyDraft(name: "CI"))
        print(founded.organization.id, founded.adminKey.prefix, issued.key.prefix)
    }
}
