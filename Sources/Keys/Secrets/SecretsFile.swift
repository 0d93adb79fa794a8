/// The long-lived secrets of an installation, and the text file they are kept in.
///
/// A line is `pepper <id> <64 hexadecimal digits>`, or the same with `idempotency`, `role` or `session`; lines that are
/// empty or begin with `#` say nothing. There is at least one secret of each kind but `session`, and the first of a kind is the current
/// one. Without a `session` line, as in the files of releases before sessions, sessions are signed with keys derived from the role secrets.
public struct SecretsFile: Sendable, Redacted {
    /// The keys of the token digests.
    public let peppers: PepperRing
    /// The secrets that replay tokens, the current one first; never empty.
    public let idempotency: [IdempotencySecret]
    /// The secrets that make role passwords, the current one first; never empty.
    public let roles: [RoleSecret]

    /// The secrets that sign sessions, the current one first; never empty.
    public let sessions: [SessionSecret]
    /// The lines that `sessions` came from; none where they are derived.
    private let sessionLines: [SecretLine]

    /// The secrets of a new installation, one of each kind, all under `id`.
    ///
    /// The generator must be the system's CSPRNG wherever the secrets are real.
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
    /// - Throws: The first fault and its line.
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

    /// The idempotency secret of that name.
    public func idempotencySecret(_ id: SecretID) -> IdempotencySecret? { idempotency.first { $0.id == id } }

    /// The text of the file, secrets included; only for writing to a file that nobody else can read.
    public func reveal() -> String {
        var lines = peppers.all.map { SecretLine(kind: .pepper, id: $0.id, secret: $0.secret) }
        lines += idempotency.map { SecretLine(kind: .idempotency, id: $0.id, secret: $0.secret) }
        lines += roles.map { SecretLine(kind: .role, id: $0.id, secret: $0.secret) }
        lines += sessionLines
        return lines.map { $0.reveal() + "\n" }.joined()
    }
}
