import FoundationEssentials
package import Keys
package import Logging
package import Notices
public import Tenancy
public import Verification

/// The use cases over one installation.
///
/// A start creates one and hands it to every surface.
public final class Platform: Sendable {
    /// Creates, changes and deletes workspaces.
    public let provisioner: Provisioner
    /// Lends connections to the databases.
    public let databases: Databases
    /// Verifies tokens.
    public let verifier: Verifier
    /// Counts verifications.
    public let usage: UsageRecorder

    /// Authenticates callers, and resolves what a request names.
    public let access: AccessControl
    /// The use cases of keys.
    public let keys: KeyService
    /// The use cases of organizations.
    public let organizations: OrganizationService
    /// The use cases of workspaces.
    public let workspaces: WorkspaceService
    /// The use cases of members.
    public let members: MemberService
    /// The use cases of members' sessions.
    public let sessions: SessionService
    /// The use cases of a member's own sessions.
    public let ownSessions: OwnSessions
    /// The sessions of operators in browsers.
    public let operatorSessions: OperatorSessions
    /// Signs members in with an identity provider; `nil` if the settings name none.
    public let providerSignIn: ProviderSignIn?
    /// The use of passwords.
    public let passwordUse: PasswordUse
    /// The use cases of session issuers.
    public let sessionIssuers: SessionIssuerService
    /// The state of the installation.
    public let status: StatusService
    /// The use cases of webhooks.
    package let webhooks: WebhookService
    /// The use cases of leaked tokens.
    package let leaks: LeakService
    /// Repeats the reports of leaked tokens that could not be carried out before the answer.
    package let leakRetries: LeakRetries
    /// Finishes removals of members that could not be finished before the answer.
    package let removalRetries: RemovalRetries
    /// Sends events to webhooks.
    package let notices: Notices
    /// The work of a start before it serves.
    public let bootstrap: Bootstrap
    /// The periodic work.
    public let upkeep: Upkeep

    /// The places at which long lists are written, which organizations share fairly.
    package let longLists: FairPlaces

    private let passwords: PasswordHasher
    private let keySets: KeySetCache

    /// Creates the use cases.
    ///
    /// - Parameters:
    ///   - installation: The installation, which names databases and roles.
    ///   - provisioner: Creates, changes and deletes workspaces.
    ///   - databases: Lends connections to the databases.
    ///   - verifier: Verifies tokens.
    ///   - usage: Counts verifications.
    ///   - quotas: The numbers of objects that one owner can have.
    ///   - secrets: The installation's secrets.
    ///   - randomness: The source of random bits.
    ///   - now: The wall clock, for the start that operators see. All decisions go by the database's clock.
    ///   - providerTime: The time by which sign-ins with the identity provider are judged, for tests; `nil` is the database's.
    ///   - elapsed: The time since some moment, for limits on guesses and the age of key sets; by default of a
    ///     `ContinuousClock`.
    ///   - passwordCost: The cost of hashing a password.
    ///   - identityProvider: The OpenID provider that members can sign in with. Defaults to none.
    ///   - passwordUse: The use of passwords. Defaults to `on`.
    ///   - exchange: Sends requests to session issuers, the identity provider and GitHub, within about 5 s and 256 KiB.
    ///   - version: The version of the program. Defaults to `unknown`.
    ///   - options: The settings of webhooks and notices.
    ///   - searches: The databases that are to be searched for notices soon. Defaults to none.
    ///   - leakOptions: The settings of reports of leaked tokens.
    ///   - longLists: The maximum number of long lists that are written at once. Defaults to 1.
    ///   - logger: The logger.
    /// - Throws: An error if the system's root certificates cannot be read.
    package init(
        installation: Installation,
        provisioner: Provisioner,
        databases: Databases,
        verifier: Verifier,
        usage: UsageRecorder,
        quotas: Quotas = Quotas(),
        secrets: SecretsFile,
        randomness: Randomness = .system,
        now: @escaping @Sendable () -> Timestamp,
        providerTime: (@Sendable () -> Timestamp)? = nil,
        elapsed: (@Sendable () -> Duration)? = nil,
        passwordCost: PasswordCost = .standard,
        identityProvider: IdentityProvider? = nil,
        passwordUse: PasswordUse = .on,
        exchange: @escaping OutboundExchange,
        version: String = "unknown",
        notices options: NoticeOptions = NoticeOptions(),
        searches: SearchRequests = SearchRequests(),
        leaks leakOptions: LeakOptions = LeakOptions(),
        longLists: Int = 1,
        logger: Logger
    ) throws {
        self.provisioner = provisioner
        self.databases = databases
        self.verifier = verifier
        self.usage = usage
        // The deadline of the request ends a wait before.
        self.longLists = FairPlaces(longLists, patience: .seconds(30))
        let context = ServiceDependencies(
            databases: databases,
            provisioner: provisioner,
            verifier: verifier,
            usage: usage,
            searches: searches,
            quotas: quotas,
            passwordUse: passwordUse,
            secrets: secrets,
            installation: installation,
            randomness: randomness,
            providerTime: providerTime,
            logger: logger
        )
        let start = ContinuousClock.now
        let elapsed = elapsed ?? { ContinuousClock.now - start }
        let passwords = PasswordHasher(cost: passwordCost, randomness: randomness)
        let keySets = KeySetCache(exchange: exchange, elapsed: elapsed, logger: logger)
        let guesses = GuessLimiter(elapsed: elapsed) { try databases.primaryLimits() }
        let sessions = SessionService(
            context: context,
            passwords: passwords,
            guesses: guesses,
            refusals: SignInRefusals(elapsed: elapsed)
        )
        let access = AccessControl(context, sessions: sessions)
        let keyChanges = KeyChanges(context, access: access)
        let controlChanges = ControlChanges(context, access: access)
        let keys = KeyService(context: context, access: access, changes: keyChanges)
        let workspaces = WorkspaceService(context: context, access: access, changes: controlChanges)
        organizations = OrganizationService(
            context: context,
            access: access,
            changes: keyChanges,
            workspaces: workspaces
        )
        let members = MemberService(
            context: context,
            access: access,
            keys: keys,
            changes: controlChanges,
            sessions: sessions,
            passwords: passwords,
            guesses: guesses
        )
        removalRetries = RemovalRetries(members)
        sessionIssuers = SessionIssuerService(
            context: context,
            access: access,
            changes: controlChanges,
            keySets: keySets
        )
        providerSignIn = identityProvider.map {
            ProviderSignIn($0, context: context, sessions: sessions, exchange: exchange, elapsed: elapsed)
        }
        self.passwordUse = passwordUse
        ownSessions = OwnSessions(context: context, access: access)
        operatorSessions = OperatorSessions(context: context, access: access, signer: sessions.signer)
        bootstrap = Bootstrap(context: context, changes: keyChanges, members: members)
        status = StatusService(context: context, node: Node(version: version, startedAt: now()))
        notices = try Notices(
            databases,
            announcer: context.announcer,
            searches: searches,
            secrets: secrets,
            quota: quotas.waitingDeliveriesPerOrganization,
            options: options,
            logger: logger
        )
        leaks = LeakService(
            context: context,
            changes: keyChanges,
            gitHubKeys: GitHubKeyList(leakOptions.gitHubKeys, exchange: exchange, elapsed: elapsed, logger: logger),
            guesses: guesses,
            options: leakOptions
        )
        leakRetries = LeakRetries(leaks)
        webhooks = WebhookService(context: context, access: access, changes: controlChanges, notices: notices)
        upkeep = Upkeep(context: context, notices: notices)
        self.passwords = passwords
        self.keySets = keySets
        self.sessions = sessions
        self.access = access
        self.keys = keys
        self.workspaces = workspaces
        self.members = members
    }

    /// Ends what the use cases run by themselves: reads of keys and metadata, and the threads that hash passwords.
    ///
    /// The creator of a platform calls it once, when no call is under way any more.
    public func shutdown() async {
        await keySets.shutdown()
        await providerSignIn?.shutdown()
        await leaks.gitHubKeys.shutdown()
        await passwords.shutdown()
        notices.shutdown()
    }
}
