import FoundationEssentials
import MortiseClient

/// The examples in `Member.swift`.
enum NativeMemberExamples {
    static func example1(_ client: Mortise) async throws {
        let members = client.members(of: "acme")
        for try await member in members.list() {
            let place = member.workspaceID ?? "all of \(member.organizationID)"
            print(member.user.email, "is", member.role.rawValue, "in", place, "since", member.createdAt)
            // Whoever was given no password for a month did not wait for one.
            let isForgotten = !member.user.hasPassword && member.updatedAt.timeIntervalSinceNow < -30 * 86_400
            if isForgotten { try await members.remove(member.id) }
        }
    }

    static func example2(_ client: Mortise) async throws {
        let member = try await client.members(of: "acme").add(email: "ada@example.com", role: .auditor)
        switch member.role {
        case .owner, .admin: print("manages the keys")
        case .member: print("has keys of their own")
        case .auditor: print("reads keys and events")
        default: print("is something newer:", member.role.rawValue)
        }
    }

    static func example3(_ client: Mortise) async throws {
        let members = try await client.members(of: "acme").list().all()
        for user in Set(members.map(\.user)) where !user.hasPassword {
            print(user.id, user.name ?? user.email, "cannot sign in yet")
        }
    }
}
