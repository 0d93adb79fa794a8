import LibPQ

/// How a transaction begins.
public struct TransactionOptions: Sendable {
    /// What concurrent transactions may show each other.
    public enum Isolation: String, Sendable {
        /// Each statement sees what was committed before it began.
        case readCommitted = "READ COMMITTED"
        /// All statements see one snapshot.
        case repeatableRead = "REPEATABLE READ"
        /// As if transactions ran one after the other; may have to be repeated.
        case serializable = "SERIALIZABLE"
    }

    /// The isolation level.
    ///
    /// Default read committed.
    public var isolation = Isolation.readCommitted
    /// Whether writes are refused.
    ///
    /// Default false.
    public var isReadOnly = false

    /// A read-write transaction at read committed.
    public static let `default` = TransactionOptions()

    /// Describes a transaction.
    public init(isolation: Isolation = .readCommitted, isReadOnly: Bool = false) {
        self.isolation = isolation
        self.isReadOnly = isReadOnly
    }

    fileprivate var begin: String {
        "BEGIN ISOLATION LEVEL \(isolation.rawValue)\(isReadOnly ? " READ ONLY" : "")"
    }
}

extension PostgresConnection {
    private static let commit = Statement("COMMIT", prepared: false)
    private static let rollback = Statement("ROLLBACK", prepared: false)

    /// Runs `body` in a transaction, and commits it if `body` returns.
    ///
    /// When `body` throws, the transaction is rolled back and that error is thrown on. A cancelled task still rolls back: ROLLBACK and
    /// COMMIT do not listen to cancellation.
    /// - Throws: besides what `body` throws, `transactionRolledBack` when COMMIT found the transaction failed, and
    ///   `commitOutcomeUnknown` when the connection broke while COMMIT was under way.
    public func transaction<T>(
        _ options: TransactionOptions = .default,
        _ body: (PostgresConnection) async throws -> T
    ) async throws -> T {
        try await begin(options)
        let value: T
        do {
            value = try await body(self)
            try Task.checkCancellation()
        } catch {
            await rollBack()
            throw error
        }
        try await commit()
        return value
    }

    /// Shielded like COMMIT: a caller that left in the middle would leave a transaction open.
    private func begin(_ options: TransactionOptions) async throws(PostgresError) {
        if Task.isCancelled { throw .taskCancelled }
        do throws(PostgresError) {
            _ = try await session.run(
                .query(Statement(options.begin, prepared: false), .init()),
                deadline: configuration.queryDeadline,
                isShielded: true
            )
        } catch {
            if error.wasSent, error.code != .server { session.closeNow(.shutDown) }
            throw error
        }
    }

    private func commit() async throws(PostgresError) {
        let rows: Rows
        do throws(PostgresError) {
            rows = try await session.run(
                .query(Self.commit, .init()),
                deadline: configuration.queryDeadline,
                isShielded: true
            )
        } catch
            where error.code == .server
            && (error.sqlState?.errorClass != "57" || error.sqlState == .queryCanceled)
        {
            // A deferred constraint, say: the server has rolled back and said so. What the other states of class 57 announce is
            // the end of the connection, which can come after the commit.
            throw error
        } catch {
            session.closeNow(.shutDown)
            guard error.wasSent else { throw error }
            var unknown = PostgresError(
                .commitOutcomeUnknown,
                "the connection broke during COMMIT",
                serverMessage: error.serverMessage,
                wasSent: true
            )
            unknown.sqlState = error.sqlState
            throw unknown
        }
        guard rows.commandTag == "COMMIT" else {
            throw PostgresError(.transactionRolledBack, "the transaction had failed and was rolled back")
        }
    }

    private func rollBack() async {
        do throws(PostgresError) {
            _ = try await session.run(
                .query(Self.rollback, .init()),
                deadline: configuration.queryDeadline,
                isShielded: true
            )
        } catch {
            // Without an answer nobody knows what state the connection is in. Closing it rolls back too.
            session.closeNow(.shutDown)
        }
    }
}
