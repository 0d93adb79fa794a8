import KeyStore
public import Keys
public import Logging
public import Postgres
public import Tenancy
import Verification

/// Creates an operator key beside the database, for an installation whose operator keys are lost.
///
/// The caller needs the database's owner and the secrets file, and with both it could create any key by hand. This way
/// leaves an event.
public enum OperatorRecovery {
    /// Creates an operator key with every permission of the platform.
    ///
    /// The token is shown before the key is committed, so a key that counts has been shown. Servers that run accept the
    /// key at once.
    ///
    /// - Parameters:
    ///   - control: The control database, up to date.
    ///   - secrets: The secrets file of the installation.
    ///   - installation: The installation's names.
    ///   - logger: The logger.
    ///   - show: Shows the token. If it throws, nothing is created.
    /// - Throws: The errors of `show`; the database's errors, also if the task is cancelled.
    public static func perform(
        _ control: ControlDatabase,
        _ secrets: SecretsFile,
        installation: Installation = .standard,
        logger: Logger,
        show: @Sendable (Token) async throws -> Void
    ) async throws {
        let databases = try Databases(control)
        let usage = UsageRecorder(logger: logger) { _, _ in }
        let platform = try Platform(
            installation: installation,
            provisioner: Provisioner(control, fencing: databases.fencing),
            databases: databases,
            verifier: Verifier(databases: databases, peppers: secrets.peppers, usage: usage),
            usage: usage,
            secrets: secrets,
            now: { .latest },
            exchange: { _ in throw Refusal.unavailable },
            logger: logger
        )
        try await withResource(platform) { platform in
            try await platform.bootstrap.recoverOperatorKey(show: show)
        } close: {
            await close($0)
        }
    }

    /// Returns true if there are operator keys, and no live one of them works.
    ///
    /// - Parameter connection: A connection to the control database, which is up to date.
    /// - Returns: False also for an installation whose first keys were not created yet.
    /// - Throws: The database's errors.
    public static func isNeeded(over connection: PostgresConnection) async throws -> Bool {
        let store = KeyStore(connection)
        let keys = try await store.list(
            in: .platform,
            KeyFilter(status: .active),
            at: .newest(offset: 0),
            limit: 1000
        )
        if keys.contains(where: { $0.mode == .live && $0.operates(at: $0.readAt) }) { return false }
        return try await store.count(in: .platform, KeyFilter()) > 0
    }

    private static func close(_ platform: Platform) async {
        await platform.shutdown()
        await platform.provisioner.shutdown()
        await platform.databases.shutdown()
    }
}

extension Bootstrap {
    /// Creates an operator key with every permission of the platform.
    ///
    /// - Parameter show: Shows the token before the key is committed. If it throws, nothing is created.
    /// - Throws: The errors of `show`, and the database's errors.
    func recoverOperatorKey(show: @Sendable (Token) async throws -> Void) async throws {
        try await changes.seed { change in
            var draft = KeyDraft(
                name: "Recovered operator key",
                description: "Created beside the database by `mortise key recover`.",
                kind: .operator,
                mode: .live,
                permissions: [.platform]
            )
            draft.uniqueness = NameUniqueness.none
            let (_, token) = try await change.create(draft) { _ in
                context.newToken(.operator, .live, workspace: .root)
            }
            try await show(token)
        }
    }
}
