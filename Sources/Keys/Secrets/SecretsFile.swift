/// The long-lived secrets of an installation, as a text file keeps them.
///
/// A line is `pepper <id> <64 hexadecimal digits>`, or the same with `idempotency`, `role` or `session`. Empty lines and lines
/// that begin with `#` are ignored. The file has at least one secret of each kind except `session`. The first secret of a kind
/// is the current one.
///
/// Files of releases without sessions have no `session` line. Sessions are then signed with keys derived from the role secrets.
public struct SecretsFile: Sendable, Redacted {
    /// The peppers, which turn tokens into digests.
    public let peppers: PepperRing
    /// The secrets that replay tokens.
    ///
    /// The current one is the first. Never empty.
    package let idempotency: [IdempotencySecret]
    /// The secrets that derive the passwords of roles.
    ///
    /// The current one is the first. Never empty.
    package let roles: [RoleSecret]
    /// The secrets that sign sessions.
    ///
    /// The current one is the first. Never empty.
    package let sessions: [SessionSecret]

    /// The lines of `sessions`.
    ///
    /// Empty if the sessions' secrets are derived.
    private let sessionLines: [SecretLine]

    /// Creates the secrets of a new installation: one of each kind, all with the same id.
    ///
    /// - Parameters:
    ///   - id: The id of the secrets.
    ///   - generator: The source of randomness. It must be the system's CSPRNG for every real secret.
    /// - Returns: The secrets.
    public static func random(id: SecretID, using generator: inout some RandomNumberGenerator) -> SecretsFile? {
        PepperRing(current: Pepper(id: id, secret: SecretBytes(using: &generator)))
            .map { ring in
                SecretsFile(
                    peppers: ring,
                    idempotency: [IdempotencySecret(id: id, secret: SecretBytes(using: &generator))],
                    roles: [RoleSecret(id: id, secret: SecretBytes(using: &generator))],
                    sessionLines: [SecretLine(kind: .session, id: id, secret: SecretBytes(using: &generator))]
                )
            }
    }

    /// Reads the text of a secrets file.
    ///
    /// - Parameter text: The whole text.
    /// - Throws: ``SecretsFileFault`` with the first fault and its line.
    public init(parsing text: String) throws(SecretsFileFault) {
        let lines = try SecretLine.parse(text)
        let peppers = lines.filter { $0.kind == .pepper }.map { Pepper(id: $0.id, secret: $0.secret) }
        idempotency = lines.filter { $0.kind == .idempotency }.map { IdempotencySecret(id: $0.id, secret: $0.secret) }
        roles = lines.filter { $0.kind == .role }.map { RoleSecret(id: $0.id, secret: $0.secret) }
        guard let current = peppers.first, let ring = PepperRing(current: current, others: Array(peppers.dropFirst()))
        else { throw SecretsFileFault(line: nil, reason: .missing(.pepper)) }
        guard !idempotency.isEmpty else { throw SecretsFileFault(line: nil, reason: .missing(.idempotency)) }
        guard !roles.isEmpty else { throw SecretsFileFault(line: nil, reason: .missing(.role)) }
        self.peppers = ring
        sessionLines = lines.filter { $0.kind == .session }
        sessions = Self.sessions(sessionLines, roles)
    }

    private init(
        peppers: PepperRing,
        idempotency: [IdempotencySecret],
        roles: [RoleSecret],
        sessionLines: [SecretLine]
    ) {
        self.peppers = peppers
        self.idempotency = idempotency
        self.roles = roles
        self.sessionLines = sessionLines
        sessions = Self.sessions(sessionLines, roles)
    }

    private static func sessions(_ lines: [SecretLine], _ roles: [RoleSecret]) -> [SessionSecret] {
        lines.isEmpty
            ? roles.map { SessionSecret(id: $0.id, secret: $0.secret) }
            : lines.map { SessionSecret(id: $0.id, secret: $0.secret) }
    }

    /// Returns the idempotency secret with an id.
    package func idempotencySecret(_ id: SecretID) -> IdempotencySecret? { idempotency.first { $0.id == id } }

    /// Returns the text of the file, secrets included.
    ///
    /// Write it only to a file that nobody else can read.
    public func reveal() -> String {
        var lines = peppers.all.map { SecretLine(kind: .pepper, id: $0.id, secret: $0.secret) }
        lines += idempotency.map { SecretLine(kind: .idempotency, id: $0.id, secret: $0.secret) }
        lines += roles.map { SecretLine(kind: .role, id: $0.id, secret: $0.secret) }
        lines += sessionLines
        return lines.map { $0.reveal() + "\n" }.joined()
    }
}
