import ArgumentParser
import MortiseClient

/// The role of a member, as an option takes it.
enum MemberRole: String, CaseIterable, ExpressibleByArgument {
    case owner
    case admin
    case member
    case auditor

    /// The role in the terms of the client.
    var role: Mortise.Member.Role { Mortise.Member.Role(rawValue: rawValue) }
}
