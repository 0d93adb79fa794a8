import FoundationEssentials
import KeyStore
public import Keys
public import Logging
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
    let logger: Logger

    /// Brings the parts together.
    public init(
        control: ControlDatabase,
        installation: Installation,
        provisioner: Provisioner,
        databases: Databases,
        verifier: Verifier,
        usage: UsageRecorder,
        secrets: SecretsFile,
        randomness: Randomness = .system,
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
    /// What a start does before anybody is served.
    public var bootstrap: Bootstrap { Bootstrap(self) }
    /// What has to be done from time to time.
    public var upkeep: Upkeep { Upkeep(self) }

    // MARK: For the use cases

    func newID(at now: Timestamp) -> UUID {
        var randomness = self.randomness
        return UUIDv7.make(at: now, using: &randomness)
    }

    /// Lends a connection to the database of some keys.
    func connection<T>(_ home: KeyHome, _ body: (PostgresConnection) async throws -> T) async throws -> T {
        switch home.owner {
        case .workspace(let workspace, _):
            try await self.reaching {
                try await self.databases.withPool(workspace.facts) { try await $0.withConnection(body) }
            }
        case .organization, .platform:
            try await self.databases.control.pool.withConnection(body)
        }
    }

    /// Runs a transaction in the database of some keys.
    func transaction<T>(_ home: KeyHome, _ body: (PostgresConnection) async throws -> T) async throws -> T {
        try await self.connection(home) { connection in
            try await self.translating { try await connection.transaction(.default, body) }
        }
    }

    /// Runs a transaction in the control database.
    func controlTransaction<T>(_ body: (PostgresConnection) async throws -> T) async throws -> T {
        try await self.translating { try await self.databases.control.pool.transaction(.default, body) }
    }

    func controlStore(_ connection: PostgresConnection) -> ControlStore {
        ControlStore(connection, installation: self.installation)
    }

    /// Turns the trouble of one workspace's database into its refusal.
    private func reaching<T>(_ body: () async throws -> T) async throws -> T {
        do {
            return try await body()
        } catch let error as PostgresError where error.isUnreachable {
            self.logger.warning("a workspace's database cannot be reached", metadata: ["error": "\(error)"])
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
            guard error.constraint == "service_keys_unique_name" else { throw error }
            throw Refusal.conflict("A key of this name exists already.")
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
        switch self.code {
        case .connectFailed, .connectionLost, .deadlineExceeded, .poolTimedOut, .queueFull: true
        // It is going down, coming up, or has no place for one more.
        case .server:
            [.adminShutdown, .crashShutdown, .cannotConnectNow, .tooManyConnections].contains(self.sqlState)
        default: false
        }
    }
}

extension SQLState {
    /// 57P02: another session crashed, and the server ends all of them.
    static let crashShutdown = SQLState(rawValue: "57P02")
}
