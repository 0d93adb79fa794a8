import MortiseClient

/// The examples in `Members.swift`.
enum NativeMembersExamples {
    static func example1(_ client: Mortise) async throws {
        let members = client.members(of: "acme")
        let ada = try await members.add(email: "ada@example.com", role: .admin)
        print(ada.id)
    }

    static func example2(_ client: Mortise) async throws {
        for try await member in client.members(of: "acme").list() { print(member.user.email) }
    }

    static func example3(_ client: Mortise) async throws {
        let member = try await client.members(of: "acme").get("0198c0de-0000-7000-8000-000000000001")
        print(member.role.rawValue)
    }

    static func example4(_ client: Mortise) async throws {
        let members = client.members(of: "acme")
        let member = try await members.add(
            email: "ada@example.com",
            role: .member,
            password: SecretToken("correct horse battery staple")
        )
        print(member.user.id)
    }

    static func example5(_ client: Mortise) async throws {
        let members = client.members(of: "acme")
        let member = try await members.change("0198c0de-0000-7000-8000-000000000001", role: .admin)
        print(member.updatedAt)
    }

    static func example6(_ client: Mortise) async throws {
        try await client.members(of: "acme").remove("0198c0de-0000-7000-8000-000000000001")
    }
}
