import KeyStore
import Keys
import Tenancy

/// A leaked token that is genuine.
struct Leak: Sendable {
    let token: Token
    let url: String?
    let source: LeakSource
}

/// The key of a leaked token, and the reaction to the leak.
struct LeakedKey: Sendable {
    let key: FoundKey
    let keys: KeyCollection
    let action: LeakAction
}

/// The sender of a report of leaked tokens, as the event names it.
enum LeakSource: String, Sendable {
    /// GitHub's secret scanning.
    case github
    /// Anybody.
    case report
}
