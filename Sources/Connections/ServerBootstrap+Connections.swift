package import NIOCore
package import NIOPosix

extension ServerBootstrap {
    /// Returns a bootstrap for a listener whose connections are limited in number.
    ///
    /// The listener goes on after the failure of one connection.
    ///
    /// - Parameters:
    ///   - connections: The open connections of the listener.
    ///   - eventLoops: The event loops of the listener and its connections.
    ///   - configure: Adds the handlers of a new connection. The last of them removes the entry when the connection has ended.
    /// - Returns: A bootstrap, which is not bound.
    package static func accepting(
        _ connections: OpenConnections,
        on eventLoops: any EventLoopGroup,
        _ configure: @escaping @Sendable (any Channel, OpenConnections.Entry) throws -> Void
    ) -> ServerBootstrap {
        ServerBootstrap(group: eventLoops)
            .serverChannelOption(.backlog, value: 256)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
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
