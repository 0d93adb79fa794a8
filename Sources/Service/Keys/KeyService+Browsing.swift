public import FoundationEssentials
public import KeyStore
public import Keys
import People
import Postgres
public import Tenancy

/// The facts about one workspace that an overview shows.
public struct WorkspaceOverview: Sendable {
    /// The number of service keys by status.
    public let serviceKeys: [KeyStatus: Int]
    /// The number of client keys by status.
    public let clientKeys: [KeyStatus: Int]
    /// The verifications of the last 24 hours.
    public let usage: [UsageRow]
    /// The keys that a person should look at.
    public let concerns: [ConcerningKey]
}

/// The questions of people who look through keys.
extension KeyService {
    /// Returns a page of keys in any order.
    ///
    /// - Throws: `Refusal.workspaceUnavailable`, `capacityExceeded` if too many long lists wait, or the database's errors.
    public func browse(_ browse: KeyBrowse, limit: Int, in keys: KeyCollection) async throws -> KeyBrowsePage {
        let page = try await context.withConnection(to: keys.workspace?.facts) { connection in
            try await KeyStore(connection).browse(browse, in: keys.keyOwner, limit: limit)
        }
        try await context.awaitTurn(of: keys.owningOrganizationID, listBytes: page.keys.textBytes)
        return KeyBrowsePage(keys: page.keys.map(withUses), next: page.next)
    }

    /// Returns the keys of the collection that have one of some ids, in the order of the ids.
    public func find(_ ids: [UUID], in keys: KeyCollection) async throws -> [KeyRecord] {
        try await context.withConnection(to: keys.workspace?.facts) { connection in
            try await KeyStore(connection).find(ids, in: keys.keyOwner).map(withUses)
        }
    }

    /// Returns scopes and owners of the newest keys, as suggestions.
    public func suggestions(in keys: KeyCollection) async throws -> (scopes: [String], owners: [String]) {
        try await context.withConnection(to: keys.workspace?.facts) { connection in
            try await KeyStore(connection).suggestions(in: keys.keyOwner)
        }
    }

    /// Returns the facts about a workspace that an overview shows.
    ///
    /// A page shows several workspaces, so nothing is read about them but in their own databases.
    ///
    /// - Parameters:
    ///   - workspace: The workspace, as it was read for the page.
    ///   - principal: The principal that sees the page, with the permission to read the keys.
    ///   - now: The present time.
    /// - Returns: The facts.
    /// - Throws: `Refusal`, or the database's errors.
    public func overview(
        of workspace: Workspace,
        for principal: Principal,
        at now: Timestamp
    ) async throws -> WorkspaceOverview {
        guard principal.workspaceKey == nil, principal.reach != .platform else {
            throw Refusal.forbiddenKind("Keys inside a workspace need an admin key of the organization.")
        }
        try principal.requireReach(into: workspace.organizationID, workspace: workspace.id)
        try principal.require(.keysRead, in: workspace.id)
        return try await context.withConnection(to: workspace.facts, .overviews) { connection in
            let counts = try await KeyStore(connection).statusCounts()
            return WorkspaceOverview(
                serviceKeys: counts.service,
                clientKeys: counts.client,
                usage: try await UsageStore(connection).report(UsagePeriod.hour.request(for: nil, until: now)),
                concerns: try await AttentionStore(connection).keys(limit: 5)
            )
        }
    }

    /// Returns the actors that a person means in a filter of events.
    ///
    /// - Parameters:
    ///   - text: An actor as events name it, the e-mail address of a member, or the name or the beginning of the token of a key.
    ///   - keys: The collection whose events are filtered.
    ///   - principal: The principal that asks. One without `keys:read` finds itself only, and an operator finds operator keys, too.
    /// - Returns: The actors; empty if nobody is found.
    /// - Throws: `Refusal.workspaceUnavailable`, or the database's errors.
    public func actors(
        named text: String,
        in keys: KeyCollection,
        for principal: Principal
    ) async throws -> [String] {
        if ActorKind.isActor(text) { return [text] }
        let isOperator = principal.reach == .platform
        guard isOperator || principal.permissions.contains(.keysRead) else {
            return principal.member?.email == text.lowercased() ? [principal.actor] : []
        }
        var actors = try await context.withConnection(to: nil) { connection -> [String] in
            var found: [String] = []
            let store = KeyStore(connection)
            if let organization = keys.owningOrganizationID {
                let user = try await PeopleStore(connection).user(withEmail: text, organization: organization)
                let adminKeys = try await store.ids(named: text, in: .organization(organization))
                found += user.map { [ActorKind.member.actor($0)] } ?? []
                found += adminKeys.map { ActorKind.adminKey.actor($0) }
            }
            guard isOperator else { return found }
            let operatorKeys = try await store.ids(named: text, in: .platform)
            return found + operatorKeys.map { ActorKind.operatorKey.actor($0) }
        }
        guard let workspace = keys.workspace else { return actors }
        actors += try await context.withConnection(to: workspace.facts) { connection in
            let store = KeyStore(connection)
            let services = try await store.ids(named: text, in: .workspace)
            let clients = try await store.ids(named: text, in: .clients(subject: nil))
            return services.map { ActorKind.serviceKey.actor($0) } + clients.map { ActorKind.clientKey.actor($0) }
        }
        return actors
    }

    /// Returns names for the actors of keys and events of an organization: addresses of members, names of admin keys.
    ///
    /// - Parameters:
    ///   - actors: The actors, as events name them.
    ///   - principal: The principal that sees them. One without `keys:read` gets its own name only.
    /// - Returns: The names that are known, by actor.
    /// - Throws: The database's errors.
    public func names(of actors: Set<String>, for principal: Principal) async throws -> [String: String] {
        guard let organization = principal.organizationID else { return [:] }
        var users: [UUID] = []
        var adminKeys: [UUID] = []
        for actor in actors where actor == principal.actor || principal.permissions.contains(.keysRead) {
            if let id = ActorKind.member.uuid(of: actor) { users.append(id) }
            if let id = ActorKind.adminKey.uuid(of: actor) { adminKeys.append(id) }
        }
        if users.isEmpty && adminKeys.isEmpty { return [:] }
        return try await context.withConnection(to: nil) { connection in
            var names: [String: String] = [:]
            for (id, email) in try await PeopleStore(connection).emails(of: users, organization: organization) {
                names[ActorKind.member.actor(id)] = email
            }
            for (id, name) in try await KeyStore(connection).names(ofAdminKeys: adminKeys, organization: organization) {
                names[ActorKind.adminKey.actor(id)] = name
            }
            return names
        }
    }
}
