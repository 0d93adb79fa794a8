import FoundationEssentials
import KeyStore
public import Keys
public import Logging
public import Postgres
import Tenancy

/// What a start does before anybody is served: it checks the peppers, and makes once what a new installation needs.
///
/// Any number of programs may do this at once.
public struct Bootstrap: Sendable {
    let platform: Platform

    init(_ platform: Platform) { self.platform = platform }

    /// Compares the peppers of the secrets file with those that the installation has used, and notes the new ones.
    ///
    /// - Throws: `PepperMismatch`, before anything is noted: digests made with the wrong bytes match nothing on another node, and no key
    ///   would be found here.
    public func checkPeppers() async throws {
        try await self.platform.controlTransaction { connection in
            let store = self.platform.controlStore(connection)
            let peppers = self.platform.secrets.peppers.all
            for pepper in peppers { _ = try await store.addPepper(pepper.id.text, checkValue: pepper.checkValue.bytes) }
            let known = try await store.pepperCheckValues()
            for pepper in peppers where known[pepper.id.text] != pepper.checkValue.bytes {
                throw PepperMismatch(id: pepper.id)
            }
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
    /// - Throws: `PepperMismatch`, `PostgresError`.
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
                let known = try await ControlStore(connection, installation: .standard).pepperCheckValues()
                for pepper in secrets.peppers.all {
                    guard let value = known[pepper.id.text], value != pepper.checkValue.bytes else { continue }
                    throw PepperMismatch(id: pepper.id)
                }
            }
            await connection.close()
        } catch {
            await connection.close()
            throw error
        }
    }

    private static let findPeppers = Statement("SELECT to_regclass('control.peppers') IS NOT NULL", prepared: false)

    /// Makes the operator key, the organization `default`, its default workspace and its admin key, each only if it was never made.
    ///
    /// What was revoked or deleted since stays so. Of two programs that start at once, one makes them; the other waits for it.
    ///
    /// - Parameters:
    ///   - operatorToken: the operator key's token; random when `nil`.
    ///   - adminToken: the admin key's token; random when `nil`.
    /// - Returns: the random tokens that were made by this start, which no later one can show again.
    /// - Throws: `PresetFault` before anything is made; the database's errors.
    public func seed(operatorToken: Token?, adminToken: Token?) async throws -> FirstStart {
        try PresetFault.check(operatorToken, setting: "MORTISE_OPERATOR_KEY", prefix: .operator)
        try PresetFault.check(adminToken, setting: "MORTISE_ADMIN_KEY", prefix: .admin)
        var first = FirstStart()
        first.operatorToken = try await self.once("operator key", .operator, preset: operatorToken) {
            token,
            key,
            connection in
            let draft = KeyDraft(
                name: "First operator key",
                kind: .operator,
                mode: token.parsed.mode,
                permissions: [.platform]
            )
            try await self.plant(draft, token, key, KeyHome(owner: .platform), connection)
        }
        first.adminToken = try await self.once("default organization", .admin, preset: adminToken) {
            token,
            key,
            connection in
            let control = self.platform.controlStore(connection)
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
            try await self.plant(draft, token, key, KeyHome(owner: .organization(organization.id)), connection)
        }
        return first
    }

    /// Runs `body` in a transaction that also notes that it ran, unless one has been noted before.
    ///
    /// - Returns: the token, if it was random.
    private func once(
        _ seed: String,
        _ prefix: TokenPrefix,
        preset: Token?,
        _ body: (Token, UUID, PostgresConnection) async throws -> Void
    ) async throws -> Token? {
        let (isNew, token) = try await self.platform.controlTransaction { connection in
            let keys = KeyStore(connection)
            let key = self.platform.newID(at: try await keys.now())
            let token = preset ?? self.randomToken(prefix)
            guard try await self.platform.controlStore(connection).plantSeed(seed, keyID: key) else {
                return (false, token)
            }
            try await body(token, key, connection)
            return (true, token)
        }
        if !isNew, preset != nil {
            self.platform.logger.debug(
                "a preset key is not looked at, for one was made before",
                metadata: ["seed": "\(seed)"]
            )
        }
        return isNew && preset == nil ? token : nil
    }

    private func randomToken(_ prefix: TokenPrefix) -> Token {
        var randomness = self.platform.randomness
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
        _ = try await self.platform.plant(draft, token, id: key, in: home, by: caller, at: now, connection)
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
