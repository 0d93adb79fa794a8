// Organizations, workspaces, members, session issuers and events.
import Foundation
import MortiseClient

// MARK: Organizations

func createOrganization(_ platform: Mortise) async throws {
    // snippet.organization
    let created = try await platform.organizations.create(name: "Acme", slug: "acme", tokenPrefix: "acme")
    let acme = Mortise(url: platform.url, credential: .token(created.token))
    let keys = acme.keys(.service(workspace: created.defaultWorkspace.slug))
    let issued = try await keys.create(Mortise.KeyDraft(name: "CI"))
    print(created.organization.id, created.adminKey.prefix, issued.key.prefix)
    // snippet.end
}

func readOrganizations(_ client: Mortise) async throws {
    // snippet.organizations
    for try await organization in client.organizations.list() {
        print(organization.name, organization.slug, organization.createdAt, organization.updatedAt)
        if let prefix = organization.tokenPrefix { print("Its tokens begin with", prefix) }
        if let id = organization.defaultWorkspaceID { print(try await client.workspaces.get(id).slug) }
    }
    // snippet.end
    let acme = try await client.organizations.get("acme")
    print(try await client.organizations.update(acme.id, name: "Acme & Sons", tokenPrefix: .clear).name)
}

func readStatus(_ platform: Mortise) async throws {
    // snippet.status
    let status = try await platform.status()
    for cluster in status.clusters where !cluster.isReachable { print(cluster.name, "does not answer") }
    // snippet.end
}

// MARK: Workspaces

func createWorkspace(_ client: Mortise) async throws {
    // snippet.workspace
    let shop = try await client.workspaces.create(name: "Shop", organization: "acme", slug: "shop")
    let keys = client.keys(.service(workspace: shop.slug))
    // snippet.end
    print(keys.collection, shop.name ?? "", shop.organizationID, shop.ref, shop.clusterID, shop.createdAt)
    print(try await client.workspaces.update("shop", name: .set("The shop")).name ?? "")
}

func readState(_ workspace: Mortise.Workspace) {
    // snippet.state
    switch workspace.state {
    case .creating: print("The database is being created.")
    case .active: print("The keys work.")
    case .suspended: print("The keys work again after the workspace is resumed.")
    case .archived: print("The keys do not work. The workspace can be restored for 30 days.")
    case .deleting: print("The database is being deleted.")
    default: print("The workspace has a newer state:", workspace.state.rawValue)
    }
    // snippet.end
}

func endWorkspaces(_ client: Mortise) async throws {
    // snippet.archive
    _ = try await client.workspaces.suspend("shop")
    _ = try await client.workspaces.resume("shop")
    _ = try await client.workspaces.archive("shop")
    _ = try await client.workspaces.restore("shop")
    // snippet.end
    // snippet.delete
    for try await workspace in client.workspaces.list(state: .archived) where !workspace.isDefault {
        let archivedAt = workspace.archivedAt ?? workspace.updatedAt
        if archivedAt.timeIntervalSinceNow < -90 * 86_400 { try await client.workspaces.delete(workspace.id) }
    }
    // snippet.end
}

// MARK: Members

func addMember(_ client: Mortise) async throws {
    // snippet.add-member
    let members = client.members(of: "acme")
    let member = try await members.add(
        email: "ada@example.com",
        role: .admin,
        password: SecretToken("correct horse battery staple")
    )
    print(member.user.id)
    // snippet.end
    print(try await members.get(member.id).id, try await members.change(member.id, role: .auditor).updatedAt)
}

func readMembers(_ client: Mortise) async throws {
    // snippet.members
    let members = client.members(of: "acme")
    for try await member in members.list() where !member.user.hasPassword {
        print(member.user.name ?? member.user.email, "cannot sign in.")
        if member.createdAt.timeIntervalSinceNow < -30 * 86_400 { try await members.remove(member.id) }
    }
    // snippet.end
}

func readRole(_ member: Mortise.Member) {
    // snippet.role
    let place = member.workspaceID ?? "all workspaces of \(member.organizationID)"
    switch member.role {
    case .owner, .admin: print("Manages keys and members in", place)
    case .member: print("Manages their own client keys in", place)
    case .auditor: print("Reads keys and events in", place)
    default: print("Has a newer role:", member.role.rawValue)
    }
    // snippet.end
}

// MARK: Session issuers

func trustIssuer(_ platform: Mortise) async throws {
    // snippet.add-issuer
    let issuers = platform.sessionIssuers(of: "acme")
    let issuer = try await issuers.add(
        issuer: "https://clerk.example.com",
        keys: .url("https://clerk.example.com/.well-known/jwks.json"),
        authorizedParties: ["https://app.example.com"],
        readRoles: ["member"],
        manageRoles: ["admin"]
    )
    // snippet.end
    try await issuers.remove(issuer.id)
}

func locateKeySet(_ issuers: Mortise.SessionIssuers) async throws {
    // snippet.key-set
    _ = try await issuers.add(issuer: "https://sso.example.com", keys: .file("/etc/mortise/sso.json"))

    let key: JSONContent = ["kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"]
    _ = try await issuers.add(
        issuer: "https://test.example.com",
        keys: .inline(["keys": [key]]),
        algorithms: ["EdDSA"]
    )
    // snippet.end
}

func readIssuers(_ platform: Mortise) async throws {
    // snippet.issuers
    for try await issuer in platform.sessionIssuers(of: "acme").list() {
        let keySet = issuer.jwksURL ?? issuer.jwksFile ?? (issuer.hasInlineJWKS ? "inline" : "")
        print(issuer.id, issuer.issuer, issuer.algorithms, keySet, issuer.createdAt, issuer.organizationID)
        print(issuer.readRoles, "can read the keys of an organization.", issuer.manageRoles, "can manage them.")
        if issuer.authorizedParties.isEmpty { print("Sessions of every site of the issuer are accepted.") }
    }
    // snippet.end
}

// MARK: Events

func readEvents(_ client: Mortise) async throws {
    // snippet.events
    let filter = EventFilter(since: Date(timeIntervalSinceNow: -86_400))
    for try await event in client.workspaces.events("shop", filter) {
        print(event.occurredAt, event.actor, event.type, event.keyName ?? "the workspace")
        for (setting, value) in event.changes { print(setting, value) }
        // The server's log has the same request id.
        print("from", event.address ?? "unknown", "request", event.requestID ?? "none")
    }
    // snippet.end
}

func copyEvents(_ client: Mortise) async throws {
    // snippet.copy-events
    var filter = EventFilter(type: "rotated", actor: "admin-key:0198c0de-0000-7000-8000-000000000001")
    filter.since = Date(timeIntervalSinceNow: -7 * 86_400)
    filter.until = Date(timeIntervalSinceNow: -86_400)
    let events = try await client.workspaces.events("shop", filter).all()
    let lines = events.map { event in
        [event.id, event.type, event.organizationID, event.workspaceID, event.keyID]
            .map { $0 ?? "" }
            .joined(separator: ",")
    }
    try lines.joined(separator: "\n").write(toFile: "events.csv", atomically: true, encoding: .utf8)
    // snippet.end
    print(filter.type ?? "", filter.actor ?? "")
}
