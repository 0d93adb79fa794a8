import LibPQ
import Locks
import Logging
import Synchronization

/// The start and the end of a session.
extension Session {
    /// Starts to connect, on a thread for blocking calls.
    func start(_ configuration: PostgresConfiguration) {
        let hasReactor = reactor.add(self, id: id)
        let logger = self.logger
        reactor.connecting.run { [self] in
            guard hasReactor else { return closeNow(.shutDown) }
            // The caller can have left while this waited for a thread.
            guard isUsable else { return }
            // libpq's defaults come from the environment, the service file and the list of accounts, which can block.
            let keywords = hosts?.ordered(configuration.keywords) ?? configuration.keywords
            var effects = Effects()
            do throws(LibPQError) {
                let doubts = self.doubts
                let connection = try ServerConnection.connecting(keywords) { notice in
                    doubts.note(notice)
                    logger.debug(
                        "notice of the server",
                        metadata: ["severity": "\(notice.severity)", "notice": "\(notice.message)"]
                    )
                }
                wire.withLock { wire in
                    // The deadline can have passed, or the session was closed, while a name was resolved.
                    guard case .connecting(_, let deadline) = wire.phase else { return }
                    wire.phase = .connecting(connection, deadline: deadline)
                    // The manual's rule for the first wait: as if PQconnectPoll had returned "writing" (34.1, PQconnectStartParams).
                    watch(connection, &wire, .write, isCertain: false)
                }
            } catch {
                wire.withLock { wire in
                    close(&wire, PostgresError.cannotConnect(error.message), &effects)
                }
            }
            perform(effects)
        }
    }

    /// Takes the attempt to connect one step further, on a thread for blocking calls and outside the lock.
    ///
    /// A step can take milliseconds of computation (SCRAM, TLS), and a step to the next of several hosts waits for a name server. Nobody
    /// else uses the connection until it is open.
    func continueConnecting(_ connection: ServerConnection, _ wire: inout Wire) {
        guard !wire.isPolling else { return }
        wire.isPolling = true
        // The socket stays ready until the step is done, and would keep the reactor busy.
        if let watch = wire.watch { reactor.poller.unwatch(socket: watch.socket) }
        wire.watch = nil
        reactor.connecting.run { [self] in
            let status = connection.poll()
            var effects = Effects()
            self.wire.withLock { wire in
                wire.isPolling = false
                guard case .connecting = wire.phase else { return }
                finishStep(status, connection, &wire, &effects)
            }
            perform(effects)
        }
    }

    private func finishStep(
        _ status: ServerConnection.PollStatus,
        _ connection: ServerConnection,
        _ wire: inout Wire,
        _ effects: inout Effects
    ) {
        switch status {
        case .reading: watch(connection, &wire, .read, isCertain: false)
        case .writing: watch(connection, &wire, .write, isCertain: false)
        case .failed: close(&wire, PostgresError.cannotConnect(connection.errorMessage), &effects)
        case .ready:
            do throws(LibPQError) {
                try connection.setNonBlocking()
                // Servers report this parameter since version 14. A pooler that drops the setting would make shared sync points unsafe.
                guard policy == .everyQuery || connection.parameterStatus("default_transaction_read_only") == "on"
                else {
                    let error = PostgresError(
                        .invalidConfiguration,
                        "the server does not hold the connection to be read-only"
                    )
                    return close(&wire, error, &effects)
                }
                wire.phase = .open(connection)
                hosts?.connected(connection)
                effects.open(.success(()))
                watch(connection, &wire, .read, isCertain: false)
                advance(connection, &wire, &effects)
            } catch {
                close(&wire, PostgresError(error), &effects)
            }
        }
    }

    /// Closes the connection, unless it only waits for the answer to a commit: then it is closed with that answer.
    func retire() {
        if wire.withLock({ $0.isDraining }) { return }
        closeNow(.shutDown)
    }

    /// Closes the connection at once.
    ///
    /// Callers that still wait get `error`.
    func closeNow(_ error: PostgresError) {
        var effects = Effects()
        wire.withLock { wire in close(&wire, error, &effects) }
        perform(effects)
    }

    /// Closes the connection.
    ///
    /// The server can have executed the statements that were written and not answered. Their callers get an error that says so.
    func close(_ wire: inout Wire, _ error: PostgresError, _ effects: inout Effects) {
        switch wire.phase {
        case .closed: return
        case .connecting: effects.open(.failure(error))
        case .open: break
        }
        // libpq closes the socket of a connection that broke. Another session can have its number by now.
        if let watch = wire.watch, wire.connection?.socket == watch.socket {
            reactor.poller.unwatch(socket: watch.socket)
        }
        wire.watch = nil
        wire.watchedHead = nil
        wire.phase = .closed
        let neverTaken = inbox.withLock { $0.close(error) }
        let (sent, unsent) = wire.conversation.abandon()
        var afterwards = error
        afterwards.wasSent = true
        for request in sent {
            // A request that the server refused, and that only waits for the end of its transaction, keeps that error.
            if case .failure(let known) = request.outcome {
                effects.finish(request, .failure(known))
            } else {
                effects.finish(request, .failure(afterwards))
            }
        }
        for request in unsent + neverTaken { effects.finish(request, .failure(error)) }
        if let copying = wire.copying {
            wire.copying = nil
            effects.continueCopy(copying.waiter, .failure(afterwards))
        }
        if let onClose = wire.onClose.take() { effects.afterwards(onClose) }
        notificationSink.finish()
        reactor.remove(id: id)
    }
}

extension PostgresError {
    static let taskCancelled = PostgresError(.cancelled, "the task was cancelled")

    /// The wait for a synchronous standby was cancelled.
    static var standbyMissing: PostgresError {
        var error = PostgresError(
            .commitOutcomeUnknown,
            "the change is committed on this server, and the wait for its synchronous standby was cancelled",
            wasSent: true
        )
        error.sqlState = .warning
        return error
    }

    static let commitOverdue = PostgresError(
        .commitOutcomeUnknown,
        "the server did not answer COMMIT in time; it can still wait for a synchronous standby",
        wasSent: true
    )

    static func lost(_ message: String) -> PostgresError {
        PostgresError(.connectionLost, "the connection to the server broke", serverMessage: message)
    }

    static func cannotConnect(_ message: String) -> PostgresError {
        let none = "no connection to the server"
        guard let state = SQLState.ofConnectFailure(message) else {
            return PostgresError(.connectFailed, none, serverMessage: message)
        }
        var error = PostgresError(.connectFailed, "\(none): \(sentence(state))", serverMessage: message)
        error.sqlState = state
        return error
    }
}

extension SQLState {
    /// Returns the SQLSTATE of a refused connection, which libpq reports only as text.
    ///
    /// This function knows the refusals that callers treat differently.
    /// The text is the server's, in English where `lc_messages` is C or en. Elsewhere the SQLSTATE stays unknown.
    static func ofConnectFailure(_ message: String) -> SQLState? {
        if message.contains("database \""), message.contains("does not exist") { return .undefinedDatabase }
        if message.contains("too many clients already") || message.contains("remaining connection slots") {
            return .tooManyConnections
        }
        if message.contains("too many connections for ") { return .tooManyConnections }
        if message.contains("no pg_hba.conf entry") || message.contains("is not permitted to log in") {
            return .invalidAuthorization
        }
        if message.contains("password authentication failed") { return .invalidPassword }
        if message.contains("role \""), message.contains("does not exist") { return .invalidAuthorization }
        if message.contains("starting up") || message.contains("shutting down") || message.contains("recovery mode")
            || message.contains("not accepting connections")
        {
            return .cannotConnectNow
        }
        if message.contains("permission denied for database") { return .insufficientPrivilege }
        return nil
    }
}
