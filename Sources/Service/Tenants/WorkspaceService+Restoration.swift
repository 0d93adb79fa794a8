import Notices
public import Tenancy

extension WorkspaceService {
    /// Restores an archived workspace, for 30 days after its archival.
    ///
    /// A key in test mode enables no live key, and so restores no workspace. Only an operator restores a workspace that an operator suspended or
    /// archived.
    ///
    /// - Parameters:
    ///   - name: The workspace, by id or slug.
    ///   - known: The workspace as the caller knows it. Defaults to `nil`: it is restored whatever was changed since.
    ///   - caller: The caller.
    /// - Returns: The workspace.
    /// - Throws: `ChangedMeanwhile` if the workspace is not as the caller knows it; `TenancyError` with the code `wrongState` after that
    ///   time; `Refusal`; the database's errors.
    public func restore(_ name: String, ifStill known: Workspace? = nil, by caller: Caller) async throws -> Workspace {
        let workspace = try await writable(name, caller)
        try caller.principal.requireLive()
        // Notices became due meanwhile.
        defer { context.searches.add(workspace.id) }
        return try await context.provision { provisioner in
            try await provisioner.restore(
                workspace.id,
                by: caller.attribution,
                as: caller.principal.stateAuthority,
                examine: { try Self.require(known, $0) }
            ) { transaction in
                try await recheck(caller, workspace.id, in: transaction)
            }
        }
    }
}
