import FoundationEssentials
import MortiseClient

/// The examples in `Organizations.swift`.
enum NativeOrganizationsExamples {
    static func example1(_ client: Mortise) async throws {
        let organizations = try await client.organizations.list().all()
        print(organizations.map(\.slug))
    }

    static func example2(_ client: Mortise) async throws {
        let founded = try await client.organizations.create(name: "Acme", slug: "acme", tokenPrefix: "acme")
        try founded.token.reveal().write(toFile: "acme-admin.key", atomically: true, encoding: .utf8)
    }

    static func example3(_ client: Mortise) async throws {
        for try await organization in client.organizations.list() { print(organization.name) }
    }

    static func example4(_ client: Mortise) async throws {
        let organization = try await client.organizations.get("acme")
        print(organization.slug)
    }

    static func example5(_ client: Mortise) async throws {
        let renamed = try await client.organizations.update("acme", name: "Acme & Sons", tokenPrefix: .clear)
        print(renamed.name)
    }
}
