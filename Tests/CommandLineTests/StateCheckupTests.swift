import Postgres
import TestSupport
import Testing

/// The part of `mortise doctor` that compares the two states of each workspace.
@Suite(.hangLimit) struct StateCheckupTests {
    // The accident: a workspace is suspended, and its database is restored by hand from an older backup.
    @Test func `doctor names a workspace whose own database has another state`() async throws {
        try await ProcessInstallation.with { installation in
            try await installation.serve { program in
                let answer = try await installation.call(
                    "POST",
                    "/v1/workspaces/default/suspend",
                    port: try await program.port()
                )
                #expect(answer.status == 200, "\(answer)")
            }
            let database = try #require(try await installation.workspaceDatabases().first)
            let same = try await Program.run(["doctor"], environment: installation.variables)
            #expect(!same.output.contains("its own database says"), "\(same.everything)")
            for (own, decided) in [("active", "suspended"), ("suspended", "active")] {
                try await installation.withConnection(database) {
                    try await $0.script("UPDATE auth.workspace SET state = '\(own)'")
                }
                try await installation.withConnection {
                    try await $0.script("UPDATE control.workspaces SET state = '\(decided)'")
                }
                let doctor = try await Program.run(["doctor"], environment: installation.variables)
                let sentence = "Workspace default/default is \(decided), and its own database says \(own)."
                #expect(doctor.output.contains(sentence), "\(doctor.everything)")
            }
        }
    }
}
