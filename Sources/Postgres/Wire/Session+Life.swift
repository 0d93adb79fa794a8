import LibPQ
import Logging
import Synchronization

/// How a session begins and ends, and what it does when time runs out.
extension Session {
    // MARK: Connecting

    func start(_ configuration: PostgresConfiguration) {
        let deadline = ContinuousClock.now + configuration.connectDeadline
        self.wire.withLock { $0.phase = .connecting(deadline: deadline) }
        let hasReactor = reactor.add(self, id: id)
        let keywords = configuration.keywords
        let logger = self.logger
        reactor.connecting.run {
            guard hasReactor else { return self.closeNow(.shutDown) }
            // Whoever waited for this may have left while it waited for a thread.
            guard self.isUsable else { return }
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
                    self.watch(&wire, .write, isCertain: false)
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
        case .reading: watch(&wire, .read, isCertain: false)
        case .writing: watch(&wire, .write, isCertain: false)
        case .failed: close(&wire, PostgresError.cannotConnect(connection.errorMessage), &effects)
        case .ready:
            do throws(LibPQError) {
                try connection.setNonBlocking()
                // Reported by servers since version 14. A pooler that drops the settings would make sharing sync points unsafe.
                guard policy == .everyQuery || connection.parameterStatus("default_transaction_read_only") == "on"
                else {
                    let error = PostgresError(
                        .invalidConfiguration,
                        "the server does not hold the connection to be read-only"
                    )
                    return close(&wire, error, &effects)
                }
                wire.phase = .open
                effects.opened = .success(())
                watch(&wire, .read, isCertain: false)
                advance(&wire, &effects)
            } catch {
                close(&wire, PostgresError(error), &effects)
            }
        }
    }

    // MARK: Ending

    /// Closes at once; whoever still waits is told `error`.
    func closeNow(_ error: PostgresError) {
        var effects = Effects()
        self.wire.withLock { wire in close(&wire, error, &effects) }
        perform(effects)
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
        for request in sent {
            // One that was refused already, and only waits for the end of its transaction, knows better.
            if case .failure(let known) = request.outcome {
                effects.finished.append((request, .failure(known)))
            } else {
                effects.finished.append((request, .failure(afterwards)))
            }
        }
        for request in unsent + neverTaken { effects.finished.append((request, .failure(error))) }
        if let copying = wire.copying {
            wire.copying = nil
            effects.copyProgress.append((copying.waiter, .failure(afterwards)))
        }
        if !wasOpen { effects.opened = .failure(error) }
        // libpq closes the socket of a connection that broke by itself. Its number may be another session's by now.
        if let socket = wire.watchedSocket, wire.connection?.socket == socket {
            reactor.poller.unwatch(socket: socket)
        }
        wire.watchedSocket = nil
        wire.connection = nil
        notificationSink.finish()
        wire.watchedHead = nil
        reactor.remove(id: id)
    }

    // MARK: Time

    func tick(at now: ContinuousClock.Instant) {
        var effects = Effects()
        self.wire.withLock { wire in enforceDeadlines(&wire, now, &effects) }
        perform(effects)
    }

    private func enforceDeadlines(_ wire: inout Wire, _ now: ContinuousClock.Instant, _ effects: inout Effects) {
        let late = PostgresError(.deadlineExceeded, "the deadline passed")
        if case .connecting(let deadline) = wire.phase, now >= deadline {
            return close(&wire, PostgresError.cannotConnect("the deadline passed"), &effects)
        }
        if let copying = wire.copying, now >= copying.deadline {
            return close(&wire, late, &effects)
        }
        var sentLate = late
        sentLate.wasSent = true
        for waiter in overdueInInbox(at: now) { effects.overdue.append((waiter, late)) }
        for (waiter, wasSent) in wire.conversation.overdue(at: now) {
            effects.overdue.append((waiter, wasSent ? sentLate : late))
        }
        let (unsent, isHeadOverdue) = wire.conversation.expired(at: now)
        for request in unsent { effects.finished.append((request, .failure(late))) }
        guard !wire.conversation.isCopying, let head = wire.conversation.firstAwaited else { return }
        if let returned = wire.cancellation?.returnedAt, now >= returned + Self.obedience {
            // The server drops a cancellation that arrives between two statements, just before it begins the one that was meant.
            wire.cancellation = nil
            stopFirst(&wire)
        }
        let isStuck: Bool
        switch policy {
        case .everyQuery:
            guard isHeadOverdue else { return }
            if head.stopReason == nil { head.stopReason = sentLate }
            stopFirst(&wire)
            isStuck = now >= head.deadline + Self.patience
        case .perFlush:
            // Others share this connection: their statements are not cancelled; the server's statement_timeout ends the slow one.
            if wire.watchedHead?.request !== head { wire.watchedHead = (head, now) }
            isStuck = wire.watchedHead.map { now >= $0.since + statementLimit + Self.patience } ?? false
        }
        if isStuck {
            effects.finished.append((head, .failure(sentLate)))
            close(&wire, PostgresError.lost("the server did not answer in time"), &effects)
        }
    }

    private func overdueInInbox(at now: ContinuousClock.Instant) -> [Waiter<Rows>] {
        self.inbox.withLock { inbox in
            let overdue = inbox.requests.flatMap { $0.overdue(at: now) }
            if inbox.requests.contains(where: { $0.deadline <= now || $0.isAbandoned }) {
                inbox.requests.removeAll { $0.deadline <= now || $0.isAbandoned }
                inbox.joinable = [:]
            }
            return overdue
        }
    }

    /// Asks the server to stop the statement that it is working on, if somebody wants that and no other request is on its way.
    func stopFirst(_ wire: inout Wire) {
        guard let first = wire.conversation.firstAwaited, first.stopReason != nil, wire.cancellation == nil,
            let handle = wire.connection?.cancelHandle()
        else { return }
        wire.cancellation = Cancellation(target: first)
        wire.conversation.expose()
        reactor.cancelling.run {
            let wasDelivered = handle.cancel()
            if !wasDelivered { self.logger.warning("a cancellation could not be delivered") }
            self.wire.withLock { wire in
                wire.conversation.isHeld = false
                // Kept until the target's answer is here, which may be before or after this.
                if wire.conversation.firstAwaited === wire.cancellation?.target {
                    wire.cancellation?.returnedAt = .now
                } else {
                    wire.cancellation = nil
                    self.stopFirst(&wire)
                }
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
