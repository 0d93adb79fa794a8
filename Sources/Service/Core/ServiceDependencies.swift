import FoundationEssentials
import KeyStore
import Keys
import Logging
import Notices
import People
import Postgres
import Tenancy
import Verification

/// The databases, secrets, clocks and logger that all use cases share.
///
/// The context knows no use case. Every folder of this module can use it.
final class ServiceDependencies: Sendable {
    let databases: Databases
    let provisioner: Provisioner
    let verifier: Verifier
    let usage: UsageRecorder
    /// Announces changes to the webhook sender of this node.
    let announcer: EventAnnouncer
    /// The databases that are to be searched for notices soon.
    let searches: SearchRequests
    let quotas: Quotas
    let passwordUse: PasswordUse
    let secrets: SecretsFile
    /// The peppers of the control database's tokens.
    let rootPeppers: WorkspacePeppers
    let randomness: Randomness
    /// The time by which sign-ins with the identity provider are judged, for tests; `nil` is the database's.
    private let providerTime: (@Sendable () -> Timestamp)?
    let logger: Logger
    private let installation: Installation
    /// The places at which listings are read, one for each workspace.
    ///
    /// The deadline of the request ends a wait before.
    let listings = FairPlaces(256, patience: .seconds(30))
    /// The pace at which an organization reads long lists.
    let listPace = ServiceDependencies.listPace()
    /// The pace at which an organization creates workspaces.
    let workspacePace = ServiceDependencies.workspacePace()

    init(
        databases: Databases,
        provisioner: Provisioner,
        verifier: Verifier,
        usage: UsageRecorder,
        searches: SearchRequests,
        quotas: Quotas,
        passwordUse: PasswordUse,
        secrets: SecretsFile,
        installation: Installation,
        randomness: Randomness,
        providerTime: (@Sendable () -> Timestamp)?,
        logger: Logger
    ) {
        self.databases = databases
        self.provisioner = provisioner
        self.verifier = verifier
        self.usage = usage
        announcer = EventAnnouncer(databases, logger: logger)
        self.searches = searches
        self.quotas = quotas
        self.passwordUse = passwordUse
        self.secrets = secrets
        rootPeppers = secrets.peppers.peppers(of: .root)
        self.installation = installation
        self.randomness = randomness
        self.providerTime = providerTime
        self.logger = logger
    }

    /// Returns the time for decisions about tokens that others have issued: the database's, because a node's clock can be wrong.
    ///
    /// - Throws: `Refusal.directoryUnavailable` if the control database cannot be reached, and the errors of a look-up.
    func time() async throws -> Timestamp {
        if let providerTime { return providerTime() }
        return try await lookUp { _ throws(PostgresError) in try await databases.control.time() }
    }

    /// Returns an id of version 7.
    func newID(at now: Timestamp) -> UUID {
        var randomness = self.randomness
        return UUIDv7.make(at: now, using: &randomness)
    }

    /// Returns a random token.
    func newToken(_ prefix: TokenPrefix, _ mode: KeyMode, workspace: WorkspaceRef) -> Token {
        var randomness = self.randomness
        return Token.make(prefix: prefix, mode: mode, workspace: workspace, using: &randomness)
    }

    /// Returns the digest to store for a new token, which every node must be able to find.
    func digest(of token: Token) -> PepperedDigest {
        secrets.peppers.digest(of: token, sharing: databases.fencing.sharedPeppers)
    }

    /// Returns what is stored of a token.
    func secret(of token: Token, at now: Timestamp) -> NewSecret {
        let stored = digest(of: token)
        return NewSecret(
            id: newID(at: now),
            digest: stored.digest,
            pepperID: stored.pepperID.text,
            prefix: token.parsed.displayPrefix.text,
            createdAt: now
        )
    }

    /// Returns a writer of organizations' and workspaces' rows.
    func control(in transaction: AuditedTransaction) -> ControlWriter {
        ControlWriter(transaction, installation: installation)
    }

    /// Returns a writer of webhooks' rows.
    func webhooks(in transaction: AuditedTransaction) -> WebhookWriter { WebhookWriter(transaction, secrets) }

    /// Returns a writer of people's rows.
    func people(in transaction: AuditedTransaction) -> PeopleWriter { PeopleWriter(transaction) }
}
