package import Logging
package import NIOCore
package import NIOPosix

extension ServerBootstrap {
    /// Returns a bootstrap for a listener whose connections are limited in number.
    ///
    /// At the limit, the listener accepts about a thousand connections a second. It goes on after the failure of one connection. While the system
    /// has no descriptor left, it tries again ten times a second.
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
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try AcceptFaultHandler.add(to: channel.pipeline.syncOperations, logger)
                    try channel.pipeline.syncOperations.addHandler(AcceptPaceHandler(connections))
                }
            }
            .childChannelOption(.allowRemoteHalfClosure, value: true)
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
