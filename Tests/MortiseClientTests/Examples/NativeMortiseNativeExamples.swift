import MortiseClient

/// The examples in `Mortise+Native.swift`.
enum NativeMortiseNativeExamples {
    static func example1(_ client: Mortise) async throws {
        for try await organization in client.organizations.list() { print(organization.slug) }
    }

    static func example2(_ client: Mortise) async throws {
        let workspace = try await client.workspaces.get("default")
        print(workspace.state)
    }

    static func example3(_ client: Mortise) async throws {
        let phones = client.keys(.client(workspace: "shop"))
        for try await key in phones.list(subject: "user_42") { print(key.name) }
    }

    static func example4(_ client: Mortise) async throws {
        for try await member in client.members(of: "acme").list() { print(member.user.email, member.role.rawValue) }
    }

    static func example5(_ client: Mortise) async throws {
        let issuers = try await client.sessionIssuers(of: "acme").list().all()
        print(issuers.map(\.issuer))
    }

    static func example6(_ client: Mortise) async throws {
        func owner(_ collection: KeyCollection) -> String {
            switch collection {
            case .service(let workspace): "the services of \(workspace)"
            case .client(let workspace): "the users of \(workspace)"
            case .admin(let organization): "the administrators of \(organization)"
            case .operator: "the operators"
            }
        }
        let keys = client.keys(.admin(organization: "acme"))
        print(owner(keys.collection), "have", try await keys.list().all().count, "keys")
    }
}
