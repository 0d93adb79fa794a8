package import NIOCore
package import Synchronization

/// Clients that trust HTTP/1.1: each sends its next request on a connection that no answer has called the last one.
package final class BusyClients: Sendable {
    /// The number of answers.
    package let answers = Atomic(0)
    /// The number of clients that have had several answers.
    ///
    /// A client that has had none may not have been accepted, and a server that stops then refuses it.
    package let busy = Atomic(0)
    /// The number of requests without an answer.
    package let lost = Atomic(0)
    /// The number of answers that were announced as the last one.
    package let announced = Atomic(0)
    /// The number of connections that had no request for so long that the server may have closed them.
    package let late = Atomic(0)

    package init() {}

    /// Sends a request over one connection, again and again, until an answer says that it is the last.
    ///
    /// - Parameters:
    ///   - request: The request, byte for byte.
    ///   - address: The address of the server.
    ///   - patience: The time without a request after which the server may close the connection, as it may happen on a busy machine. `nil`
    ///     means that it may not.
    ///   - prepare: Adds handlers to the connection.
    ///   - check: Checks an answer.
    /// - Throws: The error of a connection that cannot be opened.
    package func run(
        _ request: String,
        to address: SocketAddress,
        patience: Duration? = nil,
        prepare: @escaping @Sendable (any Channel) throws -> Void = { _ in },
        _ check: @Sendable (RawConnection.Answer) -> Void
    ) async throws {
        try await RawConnection.with(address, prepare: prepare) { connection in
            var answeredAt = ContinuousClock.now
            var own = 0
            while true {
                // A connection that the server has closed refuses the request, or gives no answer to it.
                try? await connection.send(request)
                let isLate = patience.map { ContinuousClock.now - answeredAt >= $0 } ?? false
                guard let answer = try await connection.answer() else {
                    if isLate { late.add(1, ordering: .relaxed) } else { lost.add(1, ordering: .relaxed) }
                    return
                }
                answeredAt = .now
                check(answer)
                answers.add(1, ordering: .relaxed)
                own += 1
                if own == 10 { busy.add(1, ordering: .relaxed) }
                guard answer.isLast else { continue }
                announced.add(1, ordering: .relaxed)
                return
            }
        }
    }
}
