import FoundationEssentials
import KeyStore
public import Keys
public import Logging
public import Postgres
public import Tenancy

/// What a start does before anybody is served: it checks the peppers, and makes once what a new installation needs.
///
/// Any number of programs may do this at once.
public struct Bootstrap: Sendable {
    let platform: Platform

    init(_ platform: Platform) { self.platform = platform }

    /// Compares the peppers of the secrets file with those that the installation has used, and notes the new ones.
    ///
    /// For `ControlDatabase.bootstrap`, which calls it before it sets a password: of two first starts with different files one is refused.
    ///
    /// - Throws: `PepperMismatch` or `ForeignSecrets`, before anything is noted: digests made with the wrong bytes match nothing on
    ///   another node, and no key would be found here.
    public static func admit(_ secrets: SecretsFile, _ store: ControlStore, _ logger: Logger) async throws {
        let known = try await store.pepperCheckValues()
        try Self.compare(secrets, known)
        for pepper in secrets.peppers.all where known[pepper.id.text] == nil {
            _ = try await store.addPepper(pepper.id.text, checkValue: pepper.checkValue.bytes)
        }
        for missing in known.keys.sorted() where !secrets.peppers.all.contains(where: { $0.id.text == missing }) {
            logger.warning(
                "the secrets file lacks a pepper that was used before: tokens that were made with it are not found",
                metadata: ["pepper": "\(missing)"]
            )
        }
    }

    /// Compares the peppers of the secrets file with those that the installation has used, and notes nothing.
    ///
    /// For programs that do not serve.
    ///
    /// - Throws: `PepperMismatch`, `ForeignSecrets`.
    public static func recognize(_ secrets: SecretsFile, _ store: ControlStore) async throws {
        try Self.compare(secrets, try await store.pepperCheckValues())
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

    /// Refuses a secrets file that is not this installation's, before anything is done with it.
    ///
    /// The passwords of roles come from the same file: a start with the wrong one would lock out every node that has the right one.
    ///
    /// - Parameters:
    ///   - secrets: the file.
    ///   - owner: the way to the control database, which need not exist.
    ///   - reactor: the thread that the connection lives on.
    ///   - logger: gets what the connection has to say.
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
        do {
            let rows = try await connection.query(Self.findPeppers)
            if try rows.first?.decode(0, as: Bool.self) == true {
                try await Self.recognize(secrets, ControlStore(connection, installation: .standard))
            }
            await connection.close()
        } catch {
            await connection.close()
            throw error
        }
    }

    private static let findPeppers = Statement("SELECT to_regclass('control.peppers') IS NOT NULL", prepared: false)

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

    /// Makes the operator key, the organization `default`, its default workspace and its admin key, each only if it was never made.
    ///
    /// What was revoked or deleted since stays so. Of two programs that start at once, one makes them; the other waits for it.
    ///
    /// The random tokens are shown before what they open is committed, in one transaction. So a key that counts has been shown, however
    /// and whenever the program ends; what was shown by a start that ended too early opens nothing, and the next start shows others. The
    /// other order could lose a token for good, since it is stored nowhere.
    ///
    /// - Parameters:
    ///   - operatorToken: the operator key's token; random when `nil`.
    ///   - adminToken: the admin key's token; random when `nil`.
    ///   - member: the first owner of the organization `default`; nobody when `nil`.
    ///   - show: shows random tokens to whoever started the program; called once, and only if there are any. When it throws, nothing
    ///     is made. It has 15 seconds, after which PostgreSQL ends the transaction.
    /// - Returns: the random tokens that were made by this start, which no later one can show again.
    /// - Throws: `PresetFault` before anything is made; what `show` throws; `FirstStartUnderWay`; the database's errors.
    public func seed(
        operatorToken: Token?,
        adminToken: Token?,
        member: FirstMember? = nil,
        show: @Sendable (FirstStart) async throws -> Void = { _ in }
    ) async throws -> FirstStart {
        try Self.checkPresets(operatorToken: operatorToken, adminToken: adminToken)
        let first: FirstStart
        do {
            first = try await platform.controlTransaction { connection in
                var first = FirstStart()
                first.operatorToken = try await seedOperatorKey(operatorToken, connection)
                first.adminToken = try await seedOrganization(adminToken, connection)
                if first.operatorToken != nil || first.adminToken != nil { try await show(first) }
                return first
            }
        } catch Refusal.idempotencyKeyInUse {
            // What a lock that was not had in time is to every other transaction of the platform.
            throw FirstStartUnderWay()
        }
        if let member { try await platform.members.seed(member) }
        return first
    }

    private func seedOperatorKey(_ preset: Token?, _ connection: PostgresConnection) async throws -> Token? {
        try await once("operator key", .operator, preset: preset, connection) { token, key in
            let draft = KeyDraft(
                name: "First operator key",
                kind: .operator,
                mode: token.parsed.mode,
                permissions: [.platform]
            )
            try await plant(draft, token, key, KeyHome(owner: .platform), connection)
        }
    }

    private func seedOrganization(_ preset: Token?, _ connection: PostgresConnection) async throws -> Token? {
        try await once("default organization", .admin, preset: preset, connection) { token, key in
            let control = platform.controlStore(connection)
            let organization = try await control.createOrganization(
                NewOrganization(name: "Default", slug: "default"),
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
            try await plant(draft, token, key, KeyHome(owner: .organization(organization.id)), connection)
        }
    }

    /// Notes that something is made and makes it, unless that was noted before.
    ///
    /// - Returns: the token, if it is new and random.
    private func once(
        _ seed: String,
        _ prefix: TokenPrefix,
        preset: Token?,
        _ connection: PostgresConnection,
        _ make: (Token, UUID) async throws -> Void
    ) async throws -> Token? {
        let key = platform.newID(at: try await KeyStore(connection).now())
        guard try await platform.controlStore(connection).plantSeed(seed, keyID: key) else {
            if preset != nil {
                platform.logger.debug(
                    "a preset key is not looked at, for one was made before",
                    metadata: ["seed": "\(seed)"]
                )
            }
            return nil
        }
        let token = preset ?? randomToken(prefix)
        try await make(token, key)
        return preset == nil ? token : nil
    }

    private func randomToken(_ prefix: TokenPrefix) -> Token {
        var randomness = platform.randomness
        return Token.make(prefix: prefix, mode: .live, workspace: .root, using: &randomness)
    }

    private func plant(
        _ draft: KeyDraft,
        _ token: Token,
        _ key: UUID,
        _ home: KeyHome,
        _ connection: PostgresConnection
    ) async throws {
        let caller = Caller(principal: .system, address: nil, requestID: nil)
        let now = try await KeyStore(connection).now()
        _ = try await platform.plant(draft, token, id: key, in: home, by: caller, at: now, connection)
    }
}

/// The tokens that a first start made, for whoever started it; each is shown this once.
public struct FirstStart: Sendable {
    /// The operator key's, unless it was preset or made before.
    public var operatorToken: Token?
    /// The admin key's of the organization `default`, unless it was preset or made before.
    public var adminToken: Token?

    /// Nothing was made.
    public init() {}
}
