import MortiseClient

/// The examples in `Member.swift`.
enum NativeMemberExamples {
    static func example1(_ client: Mortise) async throws {
        for try await member in client.members(of: "acme").list(role: .owner) { print(member.user.email) }
    }

    static func example2(_ client: Mortise) async throws {
        let member = try await client.members(of: "acme").add(email: "ada@example.com", role: .auditor)
        print(member.role == .auditor)
    }

    static func example3(_ client: Mortise) async throws {
        let members = try await client.members(of: "acme").list().all()
        for user in Set(members.map(\.user)) { print(user.name ?? user.email) }
    }
}
