import FoundationEssentials
import KeyStore
import Keys
import People
import Tenancy

/// The creation of the first member.
extension MemberService {
    /// The slug of the organization that a new installation has.
    static let firstOrganization = "default"

    /// Returns true if the organization `default` has no member yet.
    public func needsSetUp() async throws -> Bool {
        let organization = try await context.readControl { try await $0.organization(slug: Self.firstOrganization) }
        guard let organization else { return false }
        return try await context.readPeople { try await !$0.hasMembers(organization.id) }
    }

    /// Creates the first member of the organization `default`, an owner, and signs the member in.
    ///
    /// - Parameters:
    ///   - email: The address.
    ///   - password: The password.
    ///   - name: The name.
    ///   - setupToken: The operator key, or an admin key of that organization with every permission, because an owner
    ///     has them all.
    ///   - origin: The request's origin.
    /// - Returns: The session and its tokens.
    /// - Throws: `Refusal.conflict` if there is a member, `unauthenticated`, `forbidden`, `invalid`.
    public func setUp(
        email: String,
        password: String,
        name: String?,
        setupToken: String,
        from origin: RequestOrigin
    ) async throws -> SignedIn {
        try context.requirePasswords()
        let principal = try await access.authenticate(setupToken, from: origin.address)
        guard case .key = principal.identity else { throw Refusal.unauthenticated }
        let organization: Organization
        do {
            organization = try await access.organization(Self.firstOrganization, for: principal)
        } catch Refusal.notFound {
            throw Refusal.unauthenticated
        }
        if principal.reach == .platform { try principal.require(.platform) }
        try principal.requireEach(of: MemberRole.owner.permissionsToGrant)
        try principal.requireHandOn(.owner)
        try UserInput.check(email: email, name: name, password: password)
        let address = try UserInput.email(email)
        let hash = try await passwords.hash(password, from: origin.address)
        return try await context.changeControl(.gives) { transaction in
            let people = context.people(in: transaction)
            try await access.hold(principal, in: transaction)
            try await people.lockMembers(of: organization.id)
            let current = try await access.recheck(principal, in: transaction)
            try current.requireEach(of: MemberRole.owner.permissionsToGrant)
            try current.requireHandOn(.owner)
            let user = try await insertFirst(
                address,
                name,
                hash,
                organization.id,
                origin.attribution(principal.actor),
                people
            )
            guard let user else { throw Refusal.conflict("The installation has been set up already.") }
            return try await sessions.begin(user, organization: organization.id, from: origin, in: transaction)
        }
    }

    /// Inserts the first member, or returns `nil` if there is a member.
    ///
    /// The caller has locked the organization's members.
    private func insertFirst(
        _ email: EmailAddress,
        _ name: String?,
        _ hash: PasswordHash?,
        _ organization: UUID,
        _ attribution: Attribution,
        _ people: PeopleWriter
    ) async throws -> UUID? {
        guard try await !people.store.hasMembers(organization) else { return nil }
        // The last of all roles can have gone with a workspace.
        if let known = try await people.lockUser(email) { try await people.deleteUserWithoutRoles(known.id) }
        guard let user = try await people.insertUser(email: email, name: name, passwordHash: hash?.text) else {
            throw Refusal.conflict("The address belongs to a user of another organization.")
        }
        _ = try await people.insertMember(
            user: user.id,
            organization: organization,
            workspace: nil,
            role: .owner,
            by: attribution
        )
        return user.id
    }

    /// Creates the member that the settings name, unless an earlier start did or there is a member.
    ///
    /// If two programs start at once, one creates the member, and the other one waits for it.
    func seed(_ first: FirstMember) async throws {
        guard try await !isSeeded() else { return }
        var hash: PasswordHash?
        if let password = first.password { hash = try await passwords.hash(password, from: nil) }
        try await context.changeControl(.gives) { [hash] transaction in
            let control = context.control(in: transaction)
            guard try await control.insertSeed(Self.seedName, keyID: nil),
                let organization = try await control.store.organization(slug: Self.firstOrganization)
            else { return }
            let people = context.people(in: transaction)
            try await people.lockMembers(of: organization.id)
            _ = try await insertFirst(first.email, nil, hash, organization.id, .system, people)
        }
    }

    private static let seedName = "first member"

    /// Returns true if an earlier start created the member.
    ///
    /// It is called first, so that not every start hashes a password.
    private func isSeeded() async throws -> Bool {
        try await context.readControl { try await $0.seed(Self.seedName) != nil }
    }
}
