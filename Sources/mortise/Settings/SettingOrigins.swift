import Configuration
import Locks

/// A source of settings.
///
/// A source that compares as less wins.
enum SettingOrigin: String, CaseIterable, Comparable {
    case flag = "flags"
    case variable = "environment"
    case file = "settings file"

    static func < (first: SettingOrigin, second: SettingOrigin) -> Bool { first.rank < second.rank }

    private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}

/// Remembers the source of each value that swift-configuration finds, for error messages.
final class SettingOrigins: AccessReporter {
    private let origins = Locked<[String: SettingOrigin]>([:])

    /// Returns the source of a member's value at the last look-up.
    func origin(of member: String) -> SettingOrigin? {
        origins.withLock { $0[member] }
    }

    func report(_ event: AccessEvent) {
        guard let member = event.metadata.key.components.last else { return }
        // Providers are asked in order until one has the value, so the number of answers says which one had it.
        let origin = SettingOrigin.allCases.dropFirst(max(0, event.providerResults.count - 1)).first
        origins.withLock { $0[member] = origin }
    }
}
