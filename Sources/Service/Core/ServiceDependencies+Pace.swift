import FoundationEssentials
import Tenancy

extension ServiceDependencies {
    /// The cost of the longest list that the quota allows.
    ///
    /// An organization that reads one after the other occupies a processor of the PostgreSQL server and one of this node for a part of
    /// the time.
    static let longestList = Duration.milliseconds(500)
    /// The cost of a new workspace.
    ///
    /// It is more than the time of its creation: PostgreSQL copies a database, and the nodes open connections to it.
    static let newWorkspace = Duration.milliseconds(200)
    /// The share of the longest list below which a list costs nothing: with the default quota, 256 KiB.
    static let shortListShare = 32

    /// Makes the pace of lists.
    ///
    /// The rows of a list that waits are in memory.
    static func listPace() -> Pace { Pace(allowance: .milliseconds(250), patience: .seconds(2)) }

    /// Makes the pace of new workspaces.
    ///
    /// The deadline of the request ends a wait before.
    static func workspacePace() -> Pace { Pace(allowance: .seconds(2), patience: .seconds(30)) }

    /// Waits until an organization may read a list.
    ///
    /// - Parameters:
    ///   - organization: The organization; `nil` stands for the platform.
    ///   - bytes: The bytes of the list.
    /// - Throws: `capacityExceeded` if too many long lists wait, `CancellationError`.
    func awaitTurn(of organization: UUID?, listBytes bytes: Int) async throws {
        guard bytes >= quotas.listBytes / Self.shortListShare else { return }
        try await listPace.wait(for: organization, cost: Self.longestList * bytes / quotas.listBytes)
    }

    /// Waits until an organization may have a new workspace.
    ///
    /// - Throws: `capacityExceeded` if too many new workspaces wait, `CancellationError`.
    func awaitTurnOfWorkspace(in organization: UUID) async throws {
        try await workspacePace.wait(for: organization, cost: Self.newWorkspace)
    }
}
