import Locks
import MortiseClient

/// Resolves the names that a person uses for organizations, workspaces, keys, members, session issuers and
/// webhooks.
///
/// An id is sent as it is. A slug in a path is sent as it is, too, because the server resolves it. If the server then
/// finds nothing, `explaining` finds out which name is wrong. Everything else is looked up first.
final class Names: Sendable {
    /// A name that was sent without a look-up.
    enum Unverified: Sendable {
        case organization(String)
        case workspace(String)
        /// An id, with its noun, such as "service key", and the command that lists such objects.
        case id(String, noun: String, list: String)
    }

    fileprivate struct State {
        var unverified: [Unverified] = []
        var ownOrganization: String?
        var workspaces: [String: String] = [:]
        var organizationSlugs: [String: String] = [:]
        var workspaceSlugs: [String: String] = [:]
        var actors: [String: String] = [:]
        var unknown: Set<String> = []
    }

    private let client: ServerClient
    private let state = Locked(State())

    /// The number of pages that a look-up reads, with 100 items each.
    static let pages = 20

    init(_ client: ServerClient) { self.client = client }

    /// True if the credential is an operator key, which belongs to no organization.
    var isOperator: Bool { client.isOperator }

    /// Sends the request of a command.
    func answer<Value>(to request: Request<Value>) async throws -> ServerAnswer<Value> {
        try await client.answer(to: request)
    }

    /// Does the work of a command.
    ///
    /// - Throws: The error of the work. If the server finds nothing, the failure says which name is wrong.
    func explained<Value>(_ work: () async throws -> Value) async throws -> Value {
        do {
            return try await work()
        } catch let failure as CommandFailure {
            throw await explaining(failure)
        }
    }

    /// Reads something for a look-up.
    func read<Value: Sendable>(
        _ call: @escaping @Sendable (Mortise) async throws(MortiseError) -> Value
    ) async throws(CommandFailure) -> Value {
        try await client.answer(to: Request(call)).value
    }

    /// Returns the items of a list that satisfy a condition.
    func items<Item: Sendable>(
        of list: @escaping @Sendable (Mortise) -> PageSequence<Item>,
        where condition: (Item) -> Bool = { _ in true }
    ) async throws(CommandFailure) -> [Item] {
        var found: [Item] = []
        var cursor: String?
        for _ in 0..<Names.pages {
            let position = cursor
            let page = try await read { client throws(MortiseError) in try await list(client).page(at: position) }
            found += page.items.filter(condition)
            guard let next = page.next else { break }
            cursor = next
        }
        return found
    }

    /// Remembers a name that is sent without a look-up.
    func note(_ name: Unverified) { state.withLock { $0.unverified.append(name) } }

    /// The names that were sent without a look-up.
    var unverified: [Unverified] { state.withLock { $0.unverified } }

    // MARK: Known names

    /// The id of the credential's own organization, once it was looked up.
    var knownOwnOrganization: String? {
        get { state.withLock { $0.ownOrganization } }
        set { state.withLock { $0.ownOrganization = newValue } }
    }

    /// Returns the id that a name of a workspace was resolved to.
    func knownWorkspace(_ name: String) -> String? { state.withLock { $0.workspaces[name] } }

    /// Remembers the id of a workspace.
    func learnWorkspace(_ name: String, _ id: String) { state.withLock { $0.workspaces[name] = id } }

    /// Returns the slug of an organization, or its id if the slug is not known.
    func organizationSlug(_ id: String) -> String { state.withLock { $0.organizationSlugs[id] ?? id } }

    /// Returns the slug of a workspace, or its id if the slug is not known.
    func workspaceSlug(_ id: String) -> String { state.withLock { $0.workspaceSlugs[id] ?? id } }

    /// Returns the name of an actor, or the actor itself if the name is not known.
    func actor(_ text: String) -> String { state.withLock { $0.actors[text] ?? text } }

    /// Returns the ids among these that are neither known nor known to be unknown.
    func missing(_ ids: some Sequence<String>, _ known: Known) -> Set<String> {
        state.withLock { state in
            let names = state[keyPath: known.path]
            return Set(ids).filter { names[$0] == nil && !state.unknown.contains($0) }
        }
    }

    /// Remembers names, and the ids among those asked for that have none.
    func learn(_ names: [String: String], of asked: Set<String>, _ known: Known) {
        state.withLock { state in
            state[keyPath: known.path].merge(names) { $1 }
            state.unknown.formUnion(asked.subtracting(names.keys))
        }
    }

    /// A kind of name that is looked up for the output.
    enum Known: Sendable {
        case organization
        case workspace
        case actor

        fileprivate var path: WritableKeyPath<State, [String: String]> {
            switch self {
            case .organization: \.organizationSlugs
            case .workspace: \.workspaceSlugs
            case .actor: \.actors
            }
        }
    }
}

extension String {
    /// The text in lower case if it has the form of an id, else `nil`.
    var id: String? {
        let groups = split(separator: "-", omittingEmptySubsequences: false)
        guard groups.map(\.utf8.count) == [8, 4, 4, 4, 12], groups.joined().allSatisfy(\.isHexDigit),
            utf8.count == 36
        else { return nil }
        return lowercased()
    }
}
