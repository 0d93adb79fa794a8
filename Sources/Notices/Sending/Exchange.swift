import NIOCore

/// A request to a receiver, and the promise of its answer.
final class Exchange: Sendable {
    let request: WebhookRequest
    let promise: EventLoopPromise<WebhookAnswer>

    init(_ request: WebhookRequest, _ promise: EventLoopPromise<WebhookAnswer>) {
        self.request = request
        self.promise = promise
    }

    /// Lets a connection that carries the exchange end with it, if it ends without an answer.
    func end(with channel: any Channel) {
        promise.futureResult.whenFailure { [self] _ in channel.triggerUserOutboundEvent(self, promise: nil) }
    }
}

/// The answer of a receiver: the status, and the beginning of the body.
struct WebhookAnswer: Sendable {
    let status: Int
    let body: [UInt8]
}

/// The reason for which a request got no answer.
struct WebhookFault: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// The end of a connection that was kept, before anything of an answer came over it.
///
/// The receiver can have closed the connection before the request reached it.
struct StaleConnection: Error {}
