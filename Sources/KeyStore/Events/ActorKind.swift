public import FoundationEssentials
import Keys

/// The kinds of actors.
///
/// An event names its actor by the kind and an id, such as `member:<user id>`. The program itself is ``Attribution/system``.
public enum ActorKind: String, Sendable, CaseIterable {
    /// A member. The id is the user's.
    case member
    /// An admin key.
    case adminKey = "admin-key"
    /// An operator key.
    case operatorKey = "operator-key"
    /// A service or anon key.
    case serviceKey = "service-key"
    /// A client key.
    case clientKey = "client-key"
    /// A session of an organization's own application. The id is the user's in that application.
    case session

    /// The actor of a refused sign-in, which nobody has proved to be.
    public static let signIn = "sign-in"

    /// Returns true if a text is an actor as events have it.
    public static func isActor(_ text: String) -> Bool {
        text == Attribution.system.actor || text == signIn || allCases.contains { $0.id(of: text) != nil }
    }

    /// Returns the actor with an id.
    public func actor(_ id: UUID) -> String { "\(rawValue):\(UUIDv7.text(of: id))" }

    /// Returns the actor with an id.
    public func actor(_ id: String) -> String { "\(rawValue):\(id)" }

    /// Returns the id of an actor, or `nil` if the actor is of another kind.
    public func id(of actor: String) -> String? {
        let prefix = "\(rawValue):"
        return actor.hasPrefix(prefix) ? String(actor.dropFirst(prefix.count)) : nil
    }

    /// Returns the id of an actor, or `nil` if the actor is of another kind or the id is no UUID.
    public func uuid(of actor: String) -> UUID? {
        id(of: actor).flatMap { UUIDv7.parse($0) }
    }
}
