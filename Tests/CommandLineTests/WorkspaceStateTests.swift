import HTTPTestSupport
import TestSupport
import Testing

/// The texts of the commands that create, suspend and restore workspaces.
@Suite(.hangLimit) struct WorkspaceStateTests {
    private static let operatorKey = "mko_live_" + String(repeating: "k", count: 46)

    private static func workspace(_ state: String) -> String {
        Sample.workspace.replacing("\"state\":\"active\"", with: "\"state\":\"\(state)\"")
    }

    // The fault: "Restored" for a workspace that was active all the time, while another one is still archived.
    @Test(arguments: [
        ("archived", "Restored the workspace default."),
        ("active", "The workspace default was not archived. Nothing was changed."),
        ("suspended", "The workspace default was not archived. Nothing was changed."),
    ])
    func `a restoration says if the workspace was not archived`(_ state: String, _ sentence: String) async throws {
        try await ScriptedServer.with({ request in
            .json(Self.workspace(request.method == "GET" ? state : "active"))
        }) { server in
            let outcome = try await Program.call("workspace", "restore", "w", at: server)
            #expect(outcome.code == 0 && outcome.output.contains(sentence), "\(outcome.everything)")
            let sent = server.requests.map { "\($0.method) \($0.uri)" }
            #expect(sent == ["GET /v1/workspaces/w", "POST /v1/workspaces/w/restore"])
        }
    }

    @Test func `a credential that cannot read a workspace restores it`() async throws {
        try await ScriptedServer.with({ request in
            request.method == "GET" ? Sample.problem(403, "forbidden", "No.") : .json(Sample.workspace)
        }) { server in
            let outcome = try await Program.call("workspace", "restore", "w", at: server)
            #expect(outcome.code == 0 && outcome.output.contains("Restored the workspace"), "\(outcome.everything)")
        }
    }

    @Test func `a suspension prints the command that undoes it`() async throws {
        try await ScriptedServer.with({ _ in .json(Self.workspace("suspended")) }) { server in
            let outcome = try await Program.call("workspace", "suspend", "w", at: server)
            #expect(
                outcome.code == 0 && outcome.output.contains("`mortise workspace resume w`"),
                "\(outcome.everything)"
            )
        }
    }

    // The fault: the next command of an operator is answered with 403.
    @Test func `a creation offers a key to those who can make one`() async throws {
        try await ScriptedServer.with({ _ in .json(Sample.workspace) }) { server in
            for (token, isOffered) in [(Program.credential, true), (Self.operatorKey, false)] {
                let outcome = try await Program.run(
                    ["workspace", "create", "W", "--organization", "acme"],
                    server: server,
                    environment: ["MORTISE_TOKEN": token]
                )
                #expect(outcome.code == 0, "\(outcome.everything)")
                #expect(outcome.output.contains("mortise key create") == isOffered, "\(outcome.output)")
            }
        }
    }
}
