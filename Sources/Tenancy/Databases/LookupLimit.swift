import Postgres
import Synchronization

/// The number of look-up connections to a cluster, where no setting gives one.
///
/// It follows from the connections that the PostgreSQL server allows, which the first look-up connection is asked for.
final class LookupLimit: Sendable {
    /// The number until the server was asked.
    static let first = 32

    private static let allowed = Statement(
        """
        SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
        """
    )

    private let isKnown: Atomic<Bool>

    init(isKnown: Bool) {
        self.isKnown = Atomic(isKnown)
    }

    /// Returns the number for a server that allows a number of connections: a third of them.
    ///
    /// The others are for other nodes, changes, migrations and people.
    static func share(of allowed: Int) -> Int { max(1, allowed / 3) }

    /// True until a setting or the server has told the number.
    var isUnknown: Bool { !isKnown.load(ordering: .relaxed) }

    /// Asks the server, unless another caller does.
    ///
    /// - Returns: The connections that the server allows, once; `nil` if they are known, or if the server gives no answer now.
    func learn(over pipeline: PostgresPipeline) async -> Int? {
        guard !isKnown.exchange(true, ordering: .relaxed) else { return nil }
        guard let row = try? await pipeline.query(Self.allowed).first, let allowed = try? row.decode(0, as: Int.self)
        else {
            isKnown.store(false, ordering: .relaxed)
            return nil
        }
        return allowed
    }
}

extension PostgresError {
    /// True if the server refused a connection because it has none left.
    var isRefusedConnection: Bool { code == .connectFailed && sqlState == .tooManyConnections }
}
