import FoundationEssentials
import KeyStore
public import Keys
public import Logging
import People
import Postgres
public import Tenancy
public import Verification

/// All use cases over one installation, with what they share.
///
/// Made once, when the program starts; a value that can be handed to every surface.
public struct Platform: Sendable {
    /// Makes and changes workspaces.
    public let provisioner: Provisioner
    /// Hands out databases.
    public let databases: Databases
    /// Verifies tokens.
    public let verifier: Verifier
    /// Counts verifications.
    public let usage: UsageRecorder
    let control: ControlDatabase
    let installation: Installation
    let secrets: SecretsFile
    let randomness: Randomness
    /// What admin and operator keys have used of their limits.
    let limiter: UseLimiter
    let now: @Sendable () -> Timestamp
    let passwords: PasswordHasher
    let guesses: GuessLimiter
    let keySets: KeySetCache
    let logger: Logger

    /// Brings the parts together.
    ///
    /// - Parameters:
    ///   - control: the control database's owner.
    ///   - installation: whose names databases and roles have.
    ///   - provisioner: makes and changes workspaces.
    ///   - databases: hands out databases.
    ///   - verifier: verifies tokens.
    ///   - usage: counts verifications.
    ///   - secrets: the installation's secrets.
    ///   - randomness: where random bits come from.
    ///   - now: the wall clock, for tokens that others have issued; what is decided here goes by the database's.
    ///   - elapsed: how much time has gone by since some moment, for limits on guesses and the age of key sets; a `ContinuousClock` by default.
    ///   - passwordCost: what hashing a password costs.
    ///   - fetchKeySet: reads what a URL has, within 5 s and 256 KiB or so; for the keys of session issuers.
    ///   - logger: gets what there is to say.
    public init(
        control: ControlDatabase,
        installation: Installation,
        provisioner: Provisioner,
        databases: Databases,
        verifier: Verifier,
        usage: UsageRecorder,
        secrets: SecretsFile,
        randomness: Randomness = .system,
        now: @escaping @Sendable () -> Timestamp,
        elapsed: (@Sendable () -> Duration)? = nil,
        passwordCost: PasswordCost = .standard,
        fetchKeySet: @escaping @Sendable (_ url: String) async throws -> [UInt8],
        logger: Logger
    ) {
        self.control = control
        self.installation = installation
        self.provisioner = provisioner
        self.databases = databases
        self.verifier = verifier
        self.usage = usage
        self.secrets = secrets
        self.randomness = randomness
        limiter = UseLimiter()
        self.now = now
        passwords = PasswordHasher(cost: passwordCost, randomness: randomness)
        let start = ContinuousClock.now
        let elapsed = elapsed ?? { ContinuousClock.now - start }
        guesses = GuessLimiter(elapsed: elapsed)
        keySets = KeySetCache(fetch: fetchKeySet, elapsed: elapsed, logger: logger)
        self.logger = logger
    }

    /// Who asks, and what they may reach.
    public var access: AccessControl { AccessControl(self) }
    /// What can be done with keys.
    public var keys: KeyService { KeyService(self) }
    /// What can be done with organizations.
    public var organizations: OrganizationService { OrganizationService(self) }
    /// What can be done with workspaces.
    public var workspaces: WorkspaceService { WorkspaceService(self) }
    /// What can be done with the members of organizations.
    public var members: MemberService { MemberService(self) }
    /// What can be done with members' sessions.
    public var sessions: SessionService { SessionService(self) }
    /// Whose sessions of other applications are believed.
    public var sessionIssuers: SessionIssuerService { SessionIssuerService(self) }
    /// What a start does before anybody is served.
    public var bootstrap: Bootstrap { Bootstrap(self) }
    /// What has to be done from time to time.
    public var upkeep: Upkeep { Upkeep(self) }

    /// Ends what the use cases run by themselves: reads of key sets, and the threads that hash passwords.
    ///
    /// Whoever has made a platform calls it once, when nobody asks anything any more.
    public func shutdown() async {
        await keySets.shutdown()
        await passwords.shutdown()
    }

    // MARK: For the use cases

    func newID(at now: Timestamp) -> UUID {
        var randomness = self.randomness
        return UUIDv7.make(at: now, using: &randomness)
    }

    /// Lends a connection to the database of some keys.
    func connection<T>(_ home: KeyHome, _ body: (PostgresConnection) async throws -> T) async throws -> T {
        switch home.owner {
        case .workspace(let workspace, _), .clients(let workspace, _, _):
            try await reaching(workspace.facts) {
                try await databases.withPool(workspace.facts) { try await $0.withConnection(body) }
            }
        case .organization, .platform:
            try await databases.control.pool.withConnection(body)
        }
    }

    /// Runs a transaction in the database of some keys.
    func transaction<T>(_ home: KeyHome, _ body: (PostgresConnection) async throws -> T) async throws -> T {
        try await self.connection(home) { connection in
            try await translating { try await connection.transaction(.default, body) }
        }
    }

    /// Runs a transaction in the control database.
    func controlTransaction<T>(_ body: (PostgresConnection) async throws -> T) async throws -> T {
        try await translating { try await databases.control.pool.transaction(.default, body) }
    }

    func controlStore(_ connection: PostgresConnection) -> ControlStore {
        ControlStore(connection, installation: installation)
    }

    func peopleStore(_ connection: PostgresConnection) -> PeopleStore { PeopleStore(connection) }

    /// Turns the trouble of one workspace's database into its refusal.
    private func reaching<T>(_ workspace: WorkspaceFacts, _ body: () async throws -> T) async throws -> T {
        do {
            return try await body()
        } catch let error as PostgresError
            // 57014: the server's own limit, which is as long as this side's, was the first to pass.
            where error.isUnreachable || error.isOfOutdatedSchema || error.sqlState == .queryCanceled
        {
            databases.report(error, of: workspace)
            throw Refusal.workspaceUnavailable
        } catch let error as TenancyError where error.code == .unknownWorkspace {
            throw Refusal.notFound
        } catch let error as TenancyError where error.code == .capacityExceeded {
            throw Refusal.workspaceUnavailable
        }
    }

    /// Turns what the database refuses by rule into a refusal that names the rule.
    private func translating<T>(_ body: () async throws -> T) async throws -> T {
        do {
            return try await body()
        } catch let error as PostgresError where error.sqlState == .uniqueViolation {
            guard ["service_keys_unique_name", "client_keys_unique_name"].contains(error.constraint) else {
                throw error
            }
            throw Refusal.nameTaken
        } catch let error as PeopleError {
            switch error {
            case .memberExists: throw Refusal.memberExists("The user is a member there already.")
            case .unknownWorkspace: throw Refusal.notFound
            }
        } catch let error as PostgresError where error.sqlState == .lockNotAvailable {
            throw Refusal.idempotencyKeyInUse
        } catch let error as PostgresError where error.code == .commitOutcomeUnknown {
            throw Refusal.outcomeUnknown
        }
    }

    /// Holds the workspace's state still until the transaction ends, and refuses unless it is active.
    func requireOpen(_ home: KeyHome, _ connection: PostgresConnection) async throws {
        guard home.workspaceID != nil else { return }
        let rows = try await connection.query(Self.lockState)
        let state = try rows.first.map { try $0.decode(0, as: String.self) }
        guard state == WorkspaceState.active.rawValue else {
            throw Refusal.conflict("The workspace is \(state ?? "gone"); only an active one can get new secrets.")
        }
    }

    /// FOR SHARE, so that a suspension waits for us or we for it, and a secret never appears after it.
    private static let lockState = Statement("SELECT state FROM auth.workspace FOR SHARE")
}

extension PostgresError {
    /// Whether the server, and not the statement, was the trouble.
    var isUnreachable: Bool {
        switch code {
        case .connectFailed, .connectionLost, .deadlineExceeded, .poolTimedOut, .queueFull: true
        // It is going down, coming up, or has no place for one more.
        case .server:
            [.adminShutdown, .crashShutdown, .cannotConnectNow, .tooManyConnections].contains(sqlState)
        default: false
        }
    }
}

extension SQLState {
    /// 57P02: another session crashed, and the server ends all of them.
    static let crashShutdown = SQLState(rawValue: "57P02")
}
