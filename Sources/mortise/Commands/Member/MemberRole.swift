import ArgumentParser

/// What a member may do.
enum MemberRole: String, CaseIterable, ExpressibleByArgument {
    case owner
    case admin
    case member
    case auditor
}
