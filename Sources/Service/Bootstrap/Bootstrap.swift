import FoundationEssentials
public import KeyStore
public import Keys
public import Logging
public import Postgres
import Tenancy

/// The work of a start before it serves: it checks the peppers, and creates what a new installation needs.
///
/// Any number of programs can do this at once.
public struct Bootstrap: Sendable {
    let context: ServiceDependencies
    let changes: KeyChanges
    let members: MemberService

    // MARK: Peppers

    /// Compares the peppers of the secrets file with those that the installation has used, and records the new ones.
    ///
    /// `ControlDatabase.bootstrap` calls it before it sets a password: of two first starts with different files, one is
    /// refused.
    ///
    /// - Throws: `PepperMismatch` or `ForeignSecrets`, before anything is recorded. Digests made with the wrong bytes
    ///   match nothing on another node, and this node would find no key.
    public static func admit(_ secrets: SecretsFile, _ store: PepperStore, _ logger: Logger) async throws {
        let known = try await store.checkValues()
        try compare(secrets, known)
        for pepper in secrets.peppers.all where known[pepper.id.text] == nil {
            _ = try await store.insert(pepper.id.text, checkValue: pepper.checkValue.bytes)
        }
        for missing in known.keys.sorted() where !secrets.peppers.all.contains(where: { $0.id.text == missing }) {
            logger.warning(
                "the secrets file lacks a pepper that was used before: tokens that were made with it are not found",
                metadata: ["pepper": "\(missing)"]
            )
        }
    }

    /// Compares the peppers of the secrets file with those that the installation has used; for programs that do not
    /// serve.
    ///
    /// - Throws: `PepperMismatch`, `ForeignSecrets`.
    public static func recognize(_ secrets: SecretsFile, _ store: PepperStore) async throws {
        try compare(secrets, try await store.checkValues())
    }

    private static func compare(_ secrets: SecretsFile, _ known: [String: [UInt8]]) throws {
        let peppers = secrets.peppers.all
        for pepper in peppers {
            guard let value = known[pepper.id.text], value != pepper.checkValue.bytes else { continue }
            throw PepperMismatch(id: pepper.id)
        }
        guard known.isEmpty || peppers.contains(where: { known[$0.id.text] != nil }) else {
            throw ForeignSecrets(known: known.keys.sorted())
        }
    }

    /// Throws if the secrets file belongs to another installation, before anything is changed.
    ///
    /// The passwords of roles come from the same file. A start with the wrong file would lock out every node that has
    /// the right one.
    ///
    /// - Parameters:
    ///   - secrets: The file.
    ///   - owner: The owner's connection to the control database, which need not exist.
    ///   - reactor: The thread of the connection.
    ///   - logger: The connection's logger.
    /// - Throws: `PepperMismatch`, `ForeignSecrets`, `PostgresError`.
    public static func checkBefore(
        _ secrets: SecretsFile,
        owner: PostgresConfiguration,
        reactor: Reactor,
        logger: Logger
    ) async throws {
        let connection: PostgresConnection
        do throws(PostgresError) {
            connection = try await PostgresConnection.connect(owner, reactor: reactor, logger: logger)
        } catch {
            if error.sqlState == .undefinedDatabase { return }
            throw error
        }
        try await withResource(connection) { connection in
            let store = PepperStore(connection)
            if try await store.exists() { try await recognize(secrets, store) }
        } close: {
            await $0.close()
        }
    }

    /// Returns true if the control database has an installation: it holds the check value of a pepper.
    ///
    /// Changes nothing.
    ///
    /// - Throws: `PostgresError` if the server is unavailable.
    public static func isInstalled(owner: PostgresConfiguration, reactor: Reactor, logger: Logger) async throws -> Bool
    {
        do {
            return try await PostgresConnection.with(owner, reactor: reactor, logger: logger) { connection in
                let store = PepperStore(connection)
                guard try await store.exists() else { return false }
                return try await !store.checkValues().isEmpty
            }
        } catch let error as PostgresError where error.sqlState == .undefinedDatabase {
            return false
        }
    }

    // MARK: The first keys

    /// Checks the preset tokens of the first keys.
    ///
    /// Call it before anything is created or changed.
    ///
    /// - Parameters:
    ///   - operatorToken: The preset token of the operator key, if any.
    ///   - adminToken: The preset token of the admin key, if any.
    /// - Throws: `PresetFault` if a token is of another kind, or of a workspace.
    public static func checkPresets(operatorToken: Token?, adminToken: Token?) throws {
        try PresetFault.check(operatorToken, setting: "MORTISE_OPERATOR_KEY", prefix: .operator)
        try PresetFault.check(adminToken, setting: "MORTISE_ADMIN_KEY", prefix: .admin)
    }

    /// Creates the operator key, the organization `default`, its default workspace and its admin key, each unless an
    /// earlier start did.
    ///
    /// A key that was revoked or deleted since is not created again. Of two programs that start at once, one creates
    /// the keys and the other waits for it.
    ///
    /// Random tokens are shown before their keys are committed, in one transaction. So a key that counts has been
    /// shown, however the program ends. A token of a start that ended too early opens nothing, and the next start shows
    /// another. In the other order a token could be lost for good, because it is stored nowhere.
    ///
    /// - Parameters:
    ///   - operatorToken: The operator key's token; random if `nil`.
    ///   - adminToken: The admin key's token; random if `nil`.
    ///   - member: The first owner of the organization `default`; nobody if `nil`.
    ///   - show: Shows random tokens to the operator; called once, and only if there are any. If it throws, nothing is
    ///     created. After 15 seconds PostgreSQL ends the transaction.
    /// - Returns: The random tokens of this start, which no later start can show again.
    /// - Throws: `PresetFault` before anything is created; the errors of `show`; `FirstStartUnderWay`; the database's
    ///   errors.
    public func seed(
        operatorToken: Token?,
        adminToken: Token?,
        member: FirstMember? = nil,
        show: @Sendable (FirstStart) async throws -> Void = { _ in }
    ) async throws -> FirstStart {
        try Self.checkPresets(operatorToken: operatorToken, adminToken: adminToken)
        let first: FirstStart
        do {
            first = try await changes.seed { change in
                var first = FirstStart()
                first.operatorToken = try await seedOperatorKey(operatorToken, change)
                first.adminToken = try await seedOrganization(adminToken, change)
                if first.operatorToken != nil || first.adminToken != nil { try await show(first) }
                return first
            }
        } catch Refusal.busy {
            // A lock that was not granted in time: another program holds it.
            throw FirstStartUnderWay()
        }
        if let member { try await members.seed(member) }
        return first
    }

    private func seedOperatorKey(_ preset: Token?, _ change: KeyChange) async throws -> Token? {
        try await seed("operator key", .operator, preset: preset, change) { token, id in
            let draft = KeyDraft(
                name: "First operator key",
                kind: .operator,
                mode: token.parsed.mode,
                permissions: [.platform]
            )
            _ = try await change.create(draft, id: id) { _ in token }
        }
    }

    private func seedOrganization(_ preset: Token?, _ change: KeyChange) async throws -> Token? {
        try await seed("default organization", .admin, preset: preset, change) { token, id in
            let control = context.control(in: change.transaction)
            let organization = try await control.createOrganization(
                NewOrganization(name: "Default", slug: MemberService.firstOrganization),
                by: .system
            )
            _ = try await control.createWorkspace(
                NewWorkspace(organizationID: organization.id, name: "Default", slug: "default", isDefault: true),
                by: .system
            )
            let draft = KeyDraft(
                name: "First admin key",
                kind: .admin,
                mode: token.parsed.mode,
                permissions: .organization
            )
            _ = try await change.create(draft, id: id, owner: .organization(organization.id)) { _ in token }
        }
    }

    /// Inserts a seed and creates what it stands for, unless an earlier start did.
    ///
    /// - Returns: The token, if it is new and random.
    private func seed(
        _ name: String,
        _ prefix: TokenPrefix,
        preset: Token?,
        _ change: KeyChange,
        _ create: (Token, UUID) async throws -> Void
    ) async throws -> Token? {
        let id = context.newID(at: change.now)
        guard try await context.control(in: change.transaction).insertSeed(name, keyID: id) else {
            if preset != nil {
                context.logger.debug(
                    "a preset key is ignored, because an earlier start created one",
                    metadata: ["seed": "\(name)"]
                )
            }
            return nil
        }
        let token = preset ?? context.newToken(prefix, .live, workspace: .root)
        try await create(token, id)
        return preset == nil ? token : nil
    }
}

/// The tokens that a first start created.
///
/// Each is shown this once.
public struct FirstStart: Sendable {
    /// The operator key's token, unless it was preset or created before.
    public var operatorToken: Token?
    /// The token of the admin key of the organization `default`, unless it was preset or created before.
    public var adminToken: Token?

    /// Creates a value without tokens.
    public init() {}
}
