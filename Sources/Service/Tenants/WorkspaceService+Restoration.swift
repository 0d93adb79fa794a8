import Notices
public import Tenancy

extension WorkspaceService {
    /// Restores an archived workspace, for 30 days after its archival.
    ///
    /// A key in test mode enables no live key, and so restores no workspace. Only an operator restores a workspace that an operator suspended or
    /// archived.
    ///
    /// - Throws: `TenancyError` with the code `wrongState` after that time; `Refusal`; the database's errors.
    public func restore(_ name: String, by caller: Caller) async throws -> Workspace {
        let workspace = try await writable(name, caller)
        try caller.principal.requireLive()
        // Notices became due meanwhile.
        defer { context.searches.add(workspace.id) }
        return try await context.provision { provisioner in
            try await provisioner.restore(workspace.id, by: caller.attribution, as: caller.principal.stateAuthority) {
                transaction in
                try await recheck(caller, workspace.id, in: transaction)
            }
        }
    }
}
