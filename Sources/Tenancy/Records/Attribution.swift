/// Who did something, from where, and in which request: what the audit trail says about every change.
public struct Attribution: Sendable, Hashable {
    /// The actor as text: a key, a member, or the platform itself.
    public var actor: String
    /// The address the request came from.
    public var address: String?
    /// The id of the request.
    public var requestID: String?

    /// Describes an actor.
    public init(actor: String, address: String? = nil, requestID: String? = nil) {
        self.actor = actor
        self.address = address
        self.requestID = requestID
    }

    /// The program itself, for what nobody asked for: a first start, a repair.
    public static let system = Attribution(actor: "system")
}
