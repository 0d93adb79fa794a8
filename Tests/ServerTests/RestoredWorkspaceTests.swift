import Postgres
import Server
import ServerTestSupport
import TestSupport
import Testing

/// A workspace whose own database was restored by hand from an older backup.
@Suite(.hangLimit) struct RestoredWorkspaceTests {
    private func change(_ name: String, _ mortise: ServerHarness, as token: String) async throws {
        let answer = try await mortise.api.post("/v1/workspaces/default/\(name)", as: token)
        try #require(answer.status == 200, "\(answer)")
    }

    private func restore(_ mortise: ServerHarness) async throws {
        try await mortise.inWorkspace("UPDATE auth.workspace SET state = 'active'")
    }

    private func ownState(_ mortise: ServerHarness) async throws -> String? {
        let database = try await mortise.workspaceDatabase()
        return try await mortise.rows(database, "SELECT state FROM auth.workspace").first
            .map { try $0.decode(0, as: String.self) }
    }

    // The accident: a workspace is suspended at 10:00 because its keys were stolen, and its database is restored from 09:00.
    @Test func `a suspended workspace whose own database says that it is active refuses its keys, and is corrected`()
        async throws
    {
        try await withInstallation { installation in
            try await withMortise(of: installation, configure: { $0.repairInterval = .seconds(3600) }) { one in
                let (key, token) = (try await one.makeKey("a"), one.adminToken)
                #expect(try await one.verdict(key.token) == "valid")
                try await change("suspend", one, as: token)
                try await restore(one)
                try await withMortise(
                    of: installation,
                    configure: { $0.repairInterval = .milliseconds(50) }
                ) { two in
                    #expect(try await two.verdict(key.token, as: token) == "workspace_unavailable")
                    try await eventually("the workspace's own database is corrected") {
                        try await ownState(two) == "suspended"
                    }
                    #expect(try await two.verdict(key.token, as: token) == "workspace_unavailable")
                    try await change("resume", two, as: token)
                    #expect(try await two.verdict(key.token, as: token) == "valid")
                }
            }
        }
    }

    // The risk: a node that knows a workspace as suspended from some seconds ago refuses its keys after it was resumed.
    @Test func `a workspace that another node resumes accepts its keys at once`() async throws {
        try await withInstallation { installation in
            try await withMortise(of: installation) { one in
                let (key, token) = (try await one.makeKey("a"), one.adminToken)
                try await change("suspend", one, as: token)
                try await withMortise(
                    of: installation,
                    configure: { $0.repairInterval = .seconds(3600) }
                ) { two in
                    #expect(try await two.verdict(key.token, as: token) == "workspace_unavailable")
                    try await change("resume", one, as: token)
                    #expect(try await two.verdict(key.token, as: token) == "valid")
                    #expect(try await one.verdict(key.token, as: token) == "valid")
                    // A repeated suspension corrects the database, too.
                    try await change("suspend", one, as: token)
                    try await restore(one)
                    try await change("suspend", two, as: token)
                    #expect(try await ownState(two) == "suspended")
                }
            }
        }
    }
}
