import ArgumentParser
import MortiseClient

/// A setting of a key that can be cleared, so that it has the default of a new key again.
enum ClearableSetting: String, CaseIterable, ExpressibleByArgument {
    case description
    case scopes
    case permissions
    case namespaces = "allowed-namespaces"
    case addresses = "allowed-ips"
    case perMinute = "rate-limit-per-minute"
    case perHour = "rate-limit-per-hour"
    case expiry = "expires-at"
    case metadata

    /// Adds the clearing of the setting to changes.
    ///
    /// - Throws: `CommandFailure` of kind `usage` if the changes set the setting.
    func clear(in changes: inout Mortise.KeyChanges) throws(CommandFailure) {
        switch self {
        case .description: try clear(&changes.description)
        case .scopes: try clear(&changes.scopes)
        case .permissions: try clear(&changes.permissions)
        case .namespaces: try clear(&changes.allowedNamespaces)
        case .addresses: try clear(&changes.allowedAddresses)
        case .perMinute: try clear(&changes.rateLimitPerMinute)
        case .perHour: try clear(&changes.rateLimitPerHour)
        case .expiry: try clear(&changes.expiresAt)
        case .metadata: try clear(&changes.metadata)
        }
    }

    private func clear<Value>(_ change: inout Change<Value>) throws(CommandFailure) {
        if case .set = change { throw .usage("\(rawValue) is both set and cleared.") }
        change = .clear
    }
}
