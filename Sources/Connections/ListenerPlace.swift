/// The place of a listener.
package enum ListenerPlace: Sendable, Hashable {
    /// A TCP port. Port 0 is any free port.
    case tcp(host: String, port: Int)
    /// A Unix-domain socket. The server creates it.
    case unixSocket(path: String)
}
