/// The actor, client address and request of a change, as its events record them.
public struct Attribution: Sendable, Hashable {
    /// The actor, such as `admin-key:<id>`, `member:<user id>` or `system`.
    public var actor: String
    /// The address that the request came from.
    public var address: String?
    /// The id of the request.
    public var requestID: String?

    /// Creates an attribution.
    public init(actor: String, address: String? = nil, requestID: String? = nil) {
        self.actor = actor
        self.address = address
        self.requestID = requestID
    }

    /// The program itself, for changes that nobody requested: a first start, a repair.
    public static let system = Attribution(actor: "system")
}
