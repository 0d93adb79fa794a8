import Keys

/// One request of a principal: who, from where, under which id.
public struct Caller: Sendable {
    /// Who asks.
    public internal(set) var principal: Principal
    /// Where the request came from.
    public let address: String?
    /// The request, as the logs name it.
    public let requestID: String?
    /// The same as a value; `nil` also where it is none.
    var network: IPAddress? { address.flatMap { IPAddress($0) } }
    /// The `Idempotency-Key`, if the request carries one.
    public let idempotency: IdempotentRequest?

    /// Describes a request.
    public init(principal: Principal, address: String?, requestID: String?, idempotency: IdempotentRequest? = nil) {
        self.principal = principal
        self.address = address
        self.requestID = requestID
        self.idempotency = idempotency
    }
}

/// What makes two requests the same, for `Idempotency-Key`.
public struct IdempotentRequest: Sendable {
    /// The header's value as it came.
    public let key: String
    /// The method.
    public let method: String
    /// The path as it was resolved: with ids, not slugs.
    public let path: String
    /// The raw query.
    public let query: String
    /// The raw body.
    public let body: [UInt8]

    /// Describes a request.
    public init(key: String, method: String, path: String, query: String, body: [UInt8]) {
        self.key = key
        self.method = method
        self.path = path
        self.query = query
        self.body = body
    }
}
