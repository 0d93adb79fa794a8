import MortiseClient

/// The examples in `Organization.swift`.
enum NativeOrganizationExamples {
    static func example1(_ client: Mortise) async throws {
        let organization = try await client.organizations.get("acme")
        print(organization.name, organization.createdAt)
    }

    static func example2(_ client: Mortise) async throws {
        let founded = try await client.organizations.create(name: "Acme")
        print(founded.organization.id, founded.defaultWorkspace.slug)
    }
}
