package import Logging
package import NIOCore
package import NIOPosix

extension ServerBootstrap {
    /// The size in bytes of a connection's buffer in the system for what is sent, before the system doubles it.
    package static let sendBufferBytes = 131_072

    /// Returns a bootstrap for a listener whose connections are limited in number.
    ///
    /// The listener goes on after the failure of one connection. While the system has no descriptor left, it tries again ten times a second. While
    /// connections that are in use have to make room, it accepts fewer new ones. A long answer leaves in pieces, between which the event loop
    /// serves its other connections.
    ///
    /// - Parameters:
    ///   - connections: The open connections of the listener.
    ///   - eventLoops: The event loops of the listener and its connections.
    ///   - logger: The logger.
    ///   - configure: Adds the handlers of a new connection. The last of them removes the entry when the connection has ended.
    /// - Returns: A bootstrap, which is not bound.
    package static func accepting(
        _ connections: OpenConnections,
        on eventLoops: any EventLoopGroup,
        logger: Logger,
        _ configure: @escaping @Sendable (any Channel, OpenConnections.Entry) throws -> Void
    ) -> ServerBootstrap {
        ServerBootstrap(group: eventLoops)
            .serverChannelOption(.backlog, value: 256)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            // Connections over TCP inherit it. The system doubles it (socket(7)), and would otherwise take up to 4 MiB of an answer at once.
            .serverChannelOption(.socketOption(.so_sndbuf), value: SocketOptionValue(sendBufferBytes))
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AcceptFaultHandler(logger))
                    let pace = AcceptPaceHandler { connections.isContested(at: .now()) }
                    try channel.pipeline.syncOperations.addHandler(pace)
                }
            }
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            // The next piece waits until the event loop has looked at its other connections, even if the client has read the last one by then.
            .childChannelOption(.writeSpin, value: 0)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard let entry = connections.add(channel) else { throw ChannelError.eof }
                    do {
                        try configure(channel, entry)
                    } catch {
                        connections.remove(entry)
                        throw error
                    }
                }
            }
    }
}
