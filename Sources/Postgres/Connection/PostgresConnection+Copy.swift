import LibPQ
import Synchronization

extension PostgresConnection {
    /// The most bytes handed to libpq at once.
    private static let pieceSize = 1 << 20

    /// Sends data to `COPY … FROM STDIN`.
    ///
    /// Each chunk is handed over when the one before has left for the socket, so a slow server slows the source down. When the source
    /// throws or the task is cancelled, the server is made to fail the COPY, so that no row of it stays.
    /// - Parameters:
    ///   - sql: the COPY command, in any of its formats.
    ///   - chunks: the data, cut anywhere.
    ///   - deadline: how long each chunk may take; the configuration's `queryDeadline` by default.
    /// - Returns: the number of rows copied.
    /// - Throws: what the source throws, or what a statement can throw.
    @discardableResult
    public func copyIn<Chunks: AsyncSequence>(
        _ sql: String,
        _ chunks: Chunks,
        deadline: Duration? = nil
    ) async throws -> Int where Chunks.Element == [UInt8] {
        let deadline = deadline ?? configuration.queryDeadline
        _ = try await session.run(.copyIn(sql), deadline: deadline)
        do {
            for try await chunk in chunks {
                try Task.checkCancellation()
                // libpq's buffer grows to hold a whole message and never shrinks.
                for start in stride(from: 0, to: chunk.count, by: Self.pieceSize) {
                    let end = min(start + Self.pieceSize, chunk.count)
                    let piece = end - start == chunk.count ? chunk : Array(chunk[start..<end])
                    try await session.put(.data(piece), deadline: deadline)
                }
            }
            try Task.checkCancellation()
        } catch {
            // The caller's error counts, not the one that the server answers to the failed COPY.
            _ = try? await session.endCopy(failingWith: "the sender gave up", deadline: deadline)
            throw error
        }
        return try await session.endCopy(failingWith: nil, deadline: deadline).affectedRows
    }
}

/// COPY on the wire.
extension Session {
    enum CopyMessage: Sendable {
        case data([UInt8])
        case end(failingWith: String?)
    }

    /// Hands one message over and waits until it has left for the socket.
    ///
    /// Not cancellable: a message is short, and half a one is none.
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
        deadline: ContinuousClock.Instant
    ) throws(PostgresError) -> Bool {
        try self.wire.withLock { wire throws(PostgresError) in
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
            wire.copying = (waiter, deadline)
            return isTaken
        }
    }

    /// Ends COPY and returns what the server says about it.
    func endCopy(failingWith reason: String?, deadline: Duration) async throws(PostgresError) -> Rows {
        let outcome = Waiter<Rows>()
        self.wire.withLock { wire in wire.conversation.replaceCopyWaiter(outcome, deadline: .now + deadline) }
        do throws(PostgresError) {
            try await put(.end(failingWith: reason), deadline: deadline)
        } catch {
            // Without an end the connection would wait for data for ever.
            closeNow(error)
            throw error
        }
        self.wire.withLock { wire in wire.conversation.endCopy() }
        // The answer may already be in libpq's buffer, where no socket announces it.
        ready(readable: true, writable: false)
        return try await outcome.value()
    }
}
