import LibPQ

extension PostgresConnection {
    private static let commit = Statement("COMMIT", prepared: false)
    private static let rollback = Statement("ROLLBACK", prepared: false)

    /// Runs `body` in a transaction, and commits the transaction if `body` returns.
    ///
    /// If `body` throws, the transaction is rolled back, and the error of `body` is thrown. A cancelled task rolls back too: the
    /// cancellation does not reach COMMIT and ROLLBACK. A COMMIT past its deadline is not cancelled either, because the server ends a
    /// cancelled wait for a synchronous standby with success: its outcome is unknown, and the connection is closed once the server answers.
    ///
    /// - Parameters:
    ///   - options: The isolation level and the access mode.
    ///   - body: The work. Its statements must use the connection that it gets.
    /// - Returns: The value that `body` returns.
    /// - Throws: The error of `body`. `transactionRolledBack` if the server had to roll back at COMMIT. `commitOutcomeUnknown` if the
    ///   session ended during COMMIT, whatever the reason, if the server did not answer COMMIT in time, or if it answered without its
    ///   synchronous standby.
    @discardableResult
    public func transaction<T>(
        _ options: TransactionOptions = .default,
        _ body: (PostgresConnection) async throws -> T
    ) async throws -> T {
        guard let spans else { return try await untracedTransaction(options, body) }
        return try await spans.transaction { try await untracedTransaction(options, body) }
    }

    private func untracedTransaction<T>(
        _ options: TransactionOptions,
        _ body: (PostgresConnection) async throws -> T
    ) async throws -> T {
        try await begin(options)
        let value: T
        do {
            value = try await body(self)
            try Task.checkCancellation()
            try PostgresDeadline.check()
        } catch {
            await rollBack()
            throw error
        }
        try await commit()
        return value
    }

    /// Begins the transaction, shielded from cancellation: a caller that left in the middle would leave a transaction open.
    private func begin(_ options: TransactionOptions) async throws(PostgresError) {
        if Task.isCancelled { throw .taskCancelled }
        if let refusal = gate?.refusal { throw refusal }
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
        } catch  where error.code == .server && session.isUsable && !error.endedSession {
            // The server has rolled back, for a deferred constraint for example. An error that ends the session has another meaning: a server
            // that is told to stop, or that cannot write to its disk any more (PANIC), can have written the commit before.
            throw error
        } catch  where error.code == .commitOutcomeUnknown {
            throw error
        } catch {
            session.closeNow(.shutDown)
            guard error.wasSent else { throw error }
            var unknown = PostgresError(
                .commitOutcomeUnknown,
                "the session ended during COMMIT",
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
                isShielded: true,
                least: Cancellation.patience
            )
        } catch {
            // Without an answer the state of the connection is unknown. Closing the connection rolls back too.
            session.closeNow(.shutDown)
        }
    }
}
