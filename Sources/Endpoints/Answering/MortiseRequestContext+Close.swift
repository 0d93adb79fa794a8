import NIOCore

extension MortiseRequestContext {
    /// Closes the connection once the answer had time to leave.
    ///
    /// Hummingbird reads the rest of an unwanted body to its end, however long that is. An answer with
    /// `Connection: close` entitles us to stop (RFC 9112 section 9.6).
    func closeSoon() {
        channel.eventLoop.scheduleTask(in: .seconds(2)) { [channel] in channel.close(promise: nil) }
    }
}
