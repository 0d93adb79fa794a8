import LibPQ
import Locks

/// COPY data.
extension Session {
    /// A message from the client during COPY.
    enum CopyMessage: Sendable {
        case data([UInt8])
        case end(failingWith: String?)
    }

    /// Hands a message to libpq, and waits until the message has left for the socket.
    ///
    /// The wait cannot be cancelled: a message is short, and half a message is not valid.
    func put(_ message: CopyMessage, deadline: Duration) async throws(PostgresError) {
        while true {
            let waiter = Waiter<Void>()
            let isTaken = try offer(message, waiter, deadline: .now + deadline)
            reactor.wake(id: id)
            try await waiter.value()
            if isTaken { return }
        }
    }

    private func offer(
        _ message: CopyMessage,
        _ waiter: Waiter<Void>,
        deadline: MonotonicInstant
    ) throws(PostgresError) -> Bool {
        try wire.withLock { wire throws(PostgresError) in
            guard let connection = wire.connection else {
                var error = PostgresError.lost("the connection is closed")
                error.wasSent = true
                throw error
            }
            let isTaken: Bool
            do throws(LibPQError) {
                switch message {
                case .data(let bytes): isTaken = try connection.putCopyData(bytes)
                case .end(let reason): isTaken = try connection.putCopyEnd(failingWith: reason)
                }
            } catch {
                throw PostgresError(error)
            }
            wire.copying = CopyWait(waiter: waiter, deadline: deadline)
            return isTaken
        }
    }

    /// Ends a COPY, and returns the server's answer.
    ///
    /// - Parameters:
    ///   - sql: The COPY command.
    ///   - reason: The reason for which the server must fail the COPY, or `nil`.
    ///   - deadline: The maximum time.
    /// - Returns: The answer.
    /// - Throws: The server's error, or `connectionLost`, `deadlineExceeded` or `closed`.
    func endCopy(_ sql: String, failingWith reason: String?, deadline: Duration) async throws(PostgresError) -> Rows {
        let end = Request(.copyIn(sql), deadline: .now + deadline)
        wire.withLock { wire in wire.conversation.replaceCopy(by: end) }
        do throws(PostgresError) {
            try await put(.end(failingWith: reason), deadline: deadline)
        } catch {
            // Without an end the server would wait for data forever.
            closeNow(error)
            throw error
        }
        wire.withLock { wire in wire.conversation.endCopy() }
        // The answer can be in libpq's buffer already, where no socket announces it.
        ready(readable: true, writable: false)
        return try await end.value()
    }
}
