import KeyStore
public import Keys

/// The sender of a request: the principal, the client's address and the request's id.
public struct Caller: Sendable {
    /// The principal.
    public internal(set) var principal: Principal
    /// The client's address.
    public let address: String?
    /// The id of the request, as in the log.
    public let requestID: String?
    /// The request's `Idempotency-Key`, with what identifies the request.
    public let idempotency: IdempotentRequest?

    /// Creates a caller.
    public init(principal: Principal, address: String?, requestID: String?, idempotency: IdempotentRequest? = nil) {
        self.principal = principal
        self.address = address
        self.requestID = requestID
        self.idempotency = idempotency
    }

    /// The client's address as a value; `nil` also for a text that is no address.
    var network: IPAddress? { address.flatMap { IPAddress($0) } }

    /// The attribution of the caller's changes.
    var attribution: Attribution {
        Attribution(actor: principal.actor, address: address, requestID: requestID)
    }

    /// The program itself.
    static let system = Caller(principal: .system, address: nil, requestID: nil)
}

/// A request with an `Idempotency-Key`, and the parts by which two requests are the same.
public struct IdempotentRequest: Sendable {
    /// The header's value, unchanged.
    public let key: String
    /// The method.
    public let method: String
    /// The resolved path, with ids in place of slugs.
    public let path: String
    /// The raw query.
    public let query: String
    /// The raw body.
    public let body: [UInt8]

    /// Creates a request.
    public init(key: String, method: String, path: String, query: String, body: [UInt8]) {
        self.key = key
        self.method = method
        self.path = path
        self.query = query
        self.body = body
    }
}

/// The origin of a request whose sender is not known yet.
public struct RequestOrigin: Sendable {
    /// The client's address.
    public let address: IPAddress?
    /// The id of the request, as in the log.
    public let requestID: String?

    /// Creates an origin.
    public init(address: IPAddress?, requestID: String?) {
        self.address = address
        self.requestID = requestID
    }

    /// Returns the attribution of an actor's change.
    func attribution(_ actor: String) -> Attribution {
        Attribution(actor: actor, address: address?.description, requestID: requestID)
    }
}
