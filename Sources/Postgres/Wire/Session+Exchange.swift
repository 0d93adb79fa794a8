import LibPQ
import Locks
import Logging

/// Messages on the wire.
extension Session: Reactor.Handler {
    /// Reads and writes what the socket allows.
    ///
    /// The reactor calls this when the socket is ready or the session was woken.
    func ready(readable: Bool, writable: Bool) {
        var effects = Effects()
        wire.withLock { wire in
            switch wire.phase {
            case .connecting(let connection?, _) where readable || writable: continueConnecting(connection, &wire)
            case .open(let connection):
                if readable { read(connection, &wire, &effects) }
                advance(connection, &wire, &effects)
            case .connecting, .closed: break
            }
        }
        perform(effects)
    }

    /// Reads what has arrived.
    ///
    /// A connection that broke can still hold the server's last messages, so the results are taken before it is closed.
    private func read(_ connection: ServerConnection, _ wire: inout Wire, _ effects: inout Effects) {
        do throws(LibPQError) {
            try connection.consumeInput()
        } catch {
            takeResults(connection, &wire, &effects)
            return close(&wire, PostgresError.lost(error.message), &effects)
        }
        takeResults(connection, &wire, &effects)
    }

    /// Writes what can be written, and takes the answers that have arrived meanwhile.
    func advance(_ connection: ServerConnection, _ wire: inout Wire, _ effects: inout Effects) {
        guard case .open = wire.phase else { return }
        if wire.conversation.mayBeInTransaction, wire.conversation.owesNothing, connection.isOutsideTransaction {
            wire.conversation.isOutsideTransaction()
        }
        do throws(LibPQError) {
            repeat {
                takeOver(&wire)
                while let step = wire.conversation.next() { try Self.perform(step, on: connection) }
                // If the conversation is not idle, an answer will bring the next round.
            } while wire.conversation.isIdle && inbox.withLock { !$0.requests.isEmpty }
            let isFlushed = try connection.flush()
            watch(connection, &wire, isFlushed ? .read : [.read, .write])
            if isFlushed, let copying = wire.copying {
                wire.copying = nil
                effects.continueCopy(copying.waiter, .success(()))
            }
            // libpq reads while it cannot write, so an answer can be here that the socket will not announce again.
            if !isFlushed { takeResults(connection, &wire, &effects) }
        } catch {
            takeResults(connection, &wire, &effects)
            close(&wire, PostgresError.lost(error.message), &effects)
        }
    }

    private static func perform(_ step: Conversation.Step, on connection: ServerConnection) throws(LibPQError) {
        switch step {
        case .enterPipeline: try connection.enterPipelineMode()
        case .exitPipeline: try connection.exitPipelineMode()
        case .prepare(let statement, let types, let name):
            try connection.sendPrepare(name: name, sql: statement.sql, types: types)
        case .execute(let name, let parameters):
            try connection.sendQueryPrepared(name: name, parameters: parameters)
        case .executeUnnamed(let statement, let parameters):
            try connection.sendQuery(sql: statement.sql, parameters: parameters)
        case .sync: try connection.pipelineSync()
        case .script(let sql): try connection.sendScript(sql)
        }
    }

    private func takeResults(_ connection: ServerConnection, _ wire: inout Wire, _ effects: inout Effects) {
        var end: PostgresError?
        while !wire.conversation.owesNothing, !wire.conversation.isCopying, !connection.isBusy {
            let arrival = Self.arrival(connection.nextReply())
            if case .failure(let error) = arrival {
                if error.endedSession {
                    end = .lost("the server ended the session")
                } else if wire.conversation.isEndingTransaction {
                    end = .lost("the server did not commit a transaction, which can still be open")
                }
            }
            // A warning that arrived with the answer, or before it.
            if let doubt = doubts.take() { wire.conversation.doubt(doubt) }
            switch wire.conversation.receive(arrival) {
            case .nothing: break
            case .finish(let request, let result): effects.finish(request, result)
            case .copyStarted(let request, let rows): effects.startCopy(request, rows)
            case .confused:
                let error =
                    connection.isBad
                    ? PostgresError.lost(connection.errorMessage)
                    : PostgresError(.protocolViolation, "the server's answers do not match the requests")
                return close(&wire, error, &effects)
            }
        }
        // Before the callers are resumed: one that sends its look-up again must find another session.
        if let end { return close(&wire, end, &effects) }
        stopFirst(&wire)
        if wire.isDraining, wire.conversation.owesNothing { return close(&wire, .shutDown, &effects) }
        // Last, because libpq finds what arrived behind an answer only once that answer has been taken.
        while let notification = connection.nextNotification() {
            notificationSink.yield(
                PostgresNotification(
                    channel: notification.channel,
                    payload: notification.payload,
                    process: notification.process
                )
            )
        }
    }

    private static func arrival(_ reply: ServerConnection.Reply) -> Conversation.Arrival {
        switch reply {
        case .end: .endOfResults
        case .sync: .sync
        case .aborted: .aborted
        case .result(let result):
            switch result.status {
            case .rows, .commandOK, .empty: .answer(Rows(result))
            case .copyIn: .copyReady(Rows(result))
            case .error: .failure(PostgresError(result))
            case .unexpected: .unexpected
            }
        }
    }

    /// Tells the poller which events to wait for.
    ///
    /// - Parameters:
    ///   - connection: The connection whose socket is watched.
    ///   - wire: The state under the lock.
    ///   - interest: The events.
    ///   - isCertain: False while connecting: libpq can have closed the socket and opened another one with the same number.
    func watch(
        _ connection: ServerConnection,
        _ wire: inout Wire,
        _ interest: Poller.Interest,
        isCertain: Bool = true
    ) {
        let watch = Watch(socket: connection.socket, interest: interest)
        if isCertain, wire.watch == watch { return }
        // An earlier socket needs no call: libpq has closed it, so epoll has dropped it, and another session can have its number.
        let isNew = wire.watch?.socket != watch.socket
        do throws(LibPQError) {
            try reactor.poller.watch(socket: watch.socket, id: id, interest: interest, isNew: isNew)
            wire.watch = watch
        } catch {
            // libpq can have opened a new socket with the old number, which epoll then does not know.
            do throws(LibPQError) {
                try reactor.poller.watch(socket: watch.socket, id: id, interest: interest, isNew: !isNew)
                wire.watch = watch
            } catch {
                logger.error("a socket cannot be watched", metadata: ["error": "\(error.message)"])
            }
        }
    }
}
