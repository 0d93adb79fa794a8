import KeyStore
import Postgres
import Tenancy

/// The key of a leaked token, and the reaction to the leak.
struct LeakedKey: Sendable {
    let key: FoundKey
    let keys: KeyCollection
    let action: LeakAction
}

/// The outcome of an attempt to handle a leak.
enum LeakOutcome: Sendable {
    /// No key of the installation has the token.
    case unknown
    /// The key has been handled.
    case done
    /// The key was found, and could not be handled.
    case failed(any Error)
    /// The key could not be looked for.
    case unread(any Error)

    /// True if another token of the same database would fare no better at this moment.
    var isOfDatabase: Bool {
        guard case .unread(let error) = self else { return false }
        // A key that this version cannot read is a fault of its own.
        return (error as? PostgresError)?.code != .decoding
    }
}
