import ArgumentParser
import MortiseClient

/// The outcome for client keys, as an option takes it.
enum ClientKeyTreatment: String, CaseIterable, ExpressibleByArgument {
    case disable
    case keep
    case revoke

    /// The outcome in the terms of the client.
    var outcome: Mortise.ClientKeyOutcome {
        switch self {
        case .disable: .disable
        case .keep: .keep
        case .revoke: .revoke
        }
    }

    /// The predicate of a sentence about the keys.
    var effect: String {
        switch self {
        case .disable: "are disabled"
        case .keep: "go on working"
        case .revoke: "are revoked for good"
        }
    }
}
