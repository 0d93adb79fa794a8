import NIOCore

extension MortiseRequestContext {
    /// Closes the connection after two seconds, in which the answer can leave.
    ///
    /// Hummingbird reads an unwanted body to its end, whatever its length. An answer with `Connection: close` allows the server to
    /// stop (RFC 9112 section 9.6).
    func closeSoon() {
        channel.eventLoop.scheduleTask(in: .seconds(2)) { [channel] in channel.close(promise: nil) }
    }
}
