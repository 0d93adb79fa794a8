package import NIOCore
package import Synchronization

/// Clients that trust HTTP/1.1: each sends its next request on a connection that no answer has called the last one.
package final class BusyClients: Sendable {
    /// The number of answers.
    package let answers = Atomic(0)
    /// The number of requests without an answer.
    package let lost = Atomic(0)
    /// The number of answers that were announced as the last one.
    package let announced = Atomic(0)

    package init() {}

    /// Sends a request over one connection, again and again, until an answer says that it is the last.
    package func run(
        _ request: String,
        to address: SocketAddress,
        prepare: @escaping @Sendable (any Channel) throws -> Void = { _ in },
        _ check: @Sendable (RawConnection.Answer) -> Void
    ) async throws {
        try await RawConnection.with(address, prepare: prepare) { connection in
            while true {
                try await connection.send(request)
                guard let answer = try await connection.answer() else {
                    lost.add(1, ordering: .relaxed)
                    return
                }
                check(answer)
                answers.add(1, ordering: .relaxed)
                guard answer.isLast else { continue }
                announced.add(1, ordering: .relaxed)
                return
            }
        }
    }
}
