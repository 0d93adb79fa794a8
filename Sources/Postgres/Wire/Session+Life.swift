import LibPQ
import Logging
import Synchronization

/// How a session begins and ends, and what it does when time runs out.
extension Session {
    // MARK: Connecting

    func start(_ configuration: PostgresConfiguration) {
        let deadline = ContinuousClock.now + configuration.connectDeadline
        self.reactor.add(self, id: self.id)
        self.reactor.addTicker(self, id: self.id)
        self.wire.withLock { $0.phase = .connecting(deadline: deadline) }
        let keywords = configuration.keywords
        let logger = self.logger
        self.reactor.blocking.run {
            var effects = Effects()
            do throws(LibPQError) {
                let connection = try ServerConnection.connecting(keywords) { severity, message in
                    logger.debug("notice of the server", metadata: ["severity": "\(severity)", "notice": "\(message)"])
                }
                self.wire.withLock { wire in
                    // The deadline may have passed, or somebody closed the session, while a name was looked up.
                    guard case .connecting = wire.phase else { return }
                    wire.connection = connection
                    // The manual's rule for the first wait: as if PQconnectPoll had said "writing" (34.1, PQconnectStartParams).
                    self.watch(&wire, .write)
                }
            } catch {
                self.wire.withLock { wire in
                    self.close(&wire, PostgresError.cannotConnect(error.message), &effects)
                }
            }
            self.perform(effects)
        }
    }

    func pollConnecting(_ wire: inout Wire, _ effects: inout Effects) {
        guard let connection = wire.connection else { return }
        switch connection.poll() {
        case .reading: self.watch(&wire, .read)
        case .writing: self.watch(&wire, .write)
        case .failed: self.close(&wire, PostgresError.cannotConnect(connection.errorMessage), &effects)
        case .ready:
            do throws(LibPQError) {
                try connection.setNonBlocking()
                wire.phase = .open
                effects.opened = .success(())
                self.watch(&wire, .read)
                self.advance(&wire, &effects)
            } catch {
                self.close(&wire, PostgresError(error), &effects)
            }
        }
    }

    // MARK: Ending

    /// Closes at once; whoever still waits is told `error`.
    func closeNow(_ error: PostgresError) {
        var effects = Effects()
        self.wire.withLock { wire in self.close(&wire, error, &effects) }
        self.perform(effects)
    }

    /// Closes the connection.
    ///
    /// What was written and not answered may have been executed: those callers are told so.
    func close(_ wire: inout Wire, _ error: PostgresError, _ effects: inout Effects) {
        if case .closed = wire.phase { return }
        let wasOpen = if case .open = wire.phase { true } else { false }
        wire.phase = .closed
        let neverTaken = self.inbox.withLock { inbox in
            inbox.closedBy = error
            inbox.joinable = [:]
            defer { inbox.requests = [] }
            return inbox.requests
        }
        let (sent, unsent) = wire.conversation.abandon()
        var afterwards = error
        afterwards.wasSent = true
        for request in sent { effects.finished.append((request, .failure(afterwards))) }
        for request in unsent + neverTaken { effects.finished.append((request, .failure(error))) }
        if let copying = wire.copying {
            wire.copying = nil
            effects.copyProgress.append((copying.waiter, .failure(afterwards)))
        }
        if !wasOpen { effects.opened = .failure(error) }
        if let socket = wire.watchedSocket { self.reactor.poller.unwatch(socket: socket) }
        wire.watchedSocket = nil
        wire.connection = nil
        self.notificationSink.finish()
        self.reactor.removeTicker(id: self.id)
        self.reactor.remove(id: self.id)
    }

    // MARK: Time

    func tick(at now: ContinuousClock.Instant) {
        var effects = Effects()
        self.wire.withLock { wire in self.enforceDeadlines(&wire, now, &effects) }
        self.perform(effects)
    }

    private func enforceDeadlines(_ wire: inout Wire, _ now: ContinuousClock.Instant, _ effects: inout Effects) {
        let late = PostgresError(.deadlineExceeded, "the deadline passed")
        if case .connecting(let deadline) = wire.phase, now >= deadline {
            return self.close(&wire, PostgresError.cannotConnect("the deadline passed"), &effects)
        }
        if let copying = wire.copying, now >= copying.deadline {
            return self.close(&wire, late, &effects)
        }
        let (unsent, isHeadOverdue) = wire.conversation.expired(at: now)
        for request in unsent { effects.finished.append((request, .failure(late))) }
        guard isHeadOverdue, !wire.conversation.isCopying, let head = wire.conversation.firstAwaited else { return }
        if now >= head.deadline + Self.patience { return self.close(&wire, late, &effects) }
        var sentLate = late
        sentLate.wasSent = true
        switch self.policy {
        case .everyQuery:
            self.startCancelling(&wire, target: head.waiter, reason: sentLate)
        case .perFlush:
            // Others share this connection: their statements are not cancelled; the server's statement_timeout ends the slow one.
            for request in wire.conversation.allAwaited where request.deadline <= now {
                effects.finished.append((request, .failure(sentLate)))
            }
        }
    }

    /// Asks the server to stop the statement that it is working on.
    func startCancelling(_ wire: inout Wire, target: Waiter<Rows>, reason: PostgresError) {
        guard wire.cancellation == nil, let handle = wire.connection?.cancelHandle() else { return }
        wire.cancellation = Cancellation(target: ObjectIdentifier(target), reason: reason)
        wire.conversation.isHeld = true
        self.reactor.blocking.run {
            let wasDelivered = handle.cancel()
            if !wasDelivered { self.logger.warning("a cancellation could not be delivered") }
            self.wire.withLock { wire in
                wire.conversation.isHeld = false
                // Kept until the target's answer is here, which may be before or after this.
                let isAnswered =
                    wire.conversation.firstAwaited.map { ObjectIdentifier($0.waiter) } != wire.cancellation?.target
                if isAnswered { wire.cancellation = nil } else { wire.cancellation?.hasReturned = true }
            }
            self.reactor.wake(id: self.id)
        }
    }
}

extension PostgresError {
    static func cannotConnect(_ message: String) -> PostgresError {
        var error = PostgresError(.connectFailed, "no connection to the server", serverMessage: message)
        error.sqlState = SQLState.ofConnectFailure(message)
        return error
    }
}

extension SQLState {
    /// libpq reports a refused connection only as text, without the SQLSTATE; these are the refusals that callers treat differently.
    ///
    /// The wording is the server's, in English where `lc_messages` is C or en: elsewhere the state stays unknown.
    static func ofConnectFailure(_ message: String) -> SQLState? {
        if message.contains("database \""), message.contains("does not exist") { return .undefinedDatabase }
        if message.contains("too many clients already") || message.contains("remaining connection slots") {
            return .tooManyConnections
        }
        if message.contains("password authentication failed") { return .invalidPassword }
        if message.contains("role \""), message.contains("does not exist") { return .invalidAuthorization }
        if message.contains("starting up") || message.contains("shutting down") || message.contains("recovery mode") {
            return .cannotConnectNow
        }
        if message.contains("permission denied for database") { return .insufficientPrivilege }
        return nil
    }
}
