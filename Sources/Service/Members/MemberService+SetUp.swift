import FoundationEssentials
import Keys
import People
import Postgres
import Tenancy

/// How the first member comes to be.
extension MemberService {
    /// The organization that a new installation has.
    static let firstOrganization = "default"

    /// Whether nobody is a member of the organization `default` yet.
    public func needsSetUp() async throws -> Bool {
        try await platform.databases.control.pool.withConnection { connection in
            let control = platform.controlStore(connection)
            guard let organization = try await control.organization(slug: Self.firstOrganization) else { return false }
            return try await !platform.peopleStore(connection).hasMembers(organization.id)
        }
    }

    /// Makes the first member of the organization `default`, an owner, and signs them in.
    ///
    /// - Parameters:
    ///   - email: the address.
    ///   - password: the password.
    ///   - name: what people call them.
    ///   - setupToken: the operator key, or an admin key of that organization with every permission in it, for an owner has them all.
    ///   - origin: where the request comes from.
    /// - Returns: the session and its tokens.
    /// - Throws: `Refusal.conflict` once somebody is a member, `unauthenticated`, `forbidden`, `invalid`.
    public func setUp(
        email: String,
        password: String,
        name: String?,
        setupToken: String,
        from origin: RequestOrigin
    ) async throws -> SignedIn {
        let principal = try await platform.access.authenticate(setupToken, from: origin.address)
        guard case .key = principal.identity else { throw Refusal.unauthenticated }
        let organization: Organization
        do {
            organization = try await platform.access.organization(Self.firstOrganization, for: principal)
        } catch Refusal.notFound {
            throw Refusal.unauthenticated
        }
        if principal.reach == .platform { try principal.require(.platform) }
        try principal.requireEach(of: MemberRole.owner.price)
        let address = try UserInput.email(email)
        try UserInput.check(password: password)
        try UserInput.check(name: name)
        let hash = try await platform.passwords.hash(password, from: origin.address)
        let attribution = Attribution(
            actor: principal.actor,
            address: origin.address?.description,
            requestID: origin.requestID
        )
        return try await platform.controlTransaction { connection in
            let store = platform.peopleStore(connection)
            try await store.lockMembers(of: organization.id)
            try await platform.access.current(principal, connection).requireEach(of: MemberRole.owner.price)
            let user = try await insertFirst(address, name, hash, organization.id, attribution, store)
            guard let user else { throw Refusal.conflict("The installation has been set up already.") }
            return try await platform.sessions.begin(
                user,
                organization: organization.id,
                from: origin,
                connection
            )
        }
    }

    /// Makes the first member, or nobody where there is one.
    private func insertFirst(
        _ email: EmailAddress,
        _ name: String?,
        _ hash: PasswordHash,
        _ organization: UUID,
        _ attribution: Attribution,
        _ store: PeopleStore
    ) async throws -> UUID? {
        try await store.lockMembers(of: organization)
        guard try await !store.hasMembers(organization) else { return nil }
        // The last of all roles may have gone with a workspace.
        if let known = try await store.lockUser(email) { try await store.deleteUserIfNowhere(known.id) }
        guard let user = try await store.insertUser(email: email, name: name, passwordHash: hash.text) else {
            throw Refusal.conflict("The address belongs to a user of another organization.")
        }
        _ = try await store.insertMember(
            user: user.id,
            organization: organization,
            workspace: nil,
            role: .owner,
            by: attribution
        )
        return user.id
    }

    /// Makes the member that the settings name, unless this was done before or somebody is a member already.
    ///
    /// Of two programs that start at once one does it; the other waits for it.
    func seed(_ first: FirstMember) async throws {
        guard try await !isSeeded() else { return }
        let hash = try await platform.passwords.hash(first.password, from: nil)
        try await platform.controlTransaction { connection in
            let control = platform.controlStore(connection)
            guard try await control.plantSeed(Self.seedName, keyID: nil),
                let organization = try await control.organization(slug: Self.firstOrganization)
            else { return }
            _ = try await insertFirst(first.email, nil, hash, organization.id, .system, platform.peopleStore(connection))
        }
    }

    private static let seedName = "first member"

    /// Asked first, so that not every start hashes a password.
    private func isSeeded() async throws -> Bool {
        try await platform.databases.control.pool.withConnection { connection in
            try await platform.controlStore(connection).seed(Self.seedName) != nil
        }
    }
}
