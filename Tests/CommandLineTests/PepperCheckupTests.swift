import FoundationEssentials
import JSON
import Postgres
import TestSupport
import Testing

/// The part of `mortise doctor` that says which pepper is still needed.
@Suite(.hangLimit) struct PepperCheckupTests {
    // The fault: an operator removes the line of a pepper that tokens still need, and those tokens are unknown from then on.
    @Test func `doctor counts the tokens that need each pepper`() async throws {
        try await ProcessInstallation.with { installation in
            let path = "\(installation.folder)/secrets"
            let old = try String(contentsOfFile: path, encoding: .utf8)
            let oldID = try #require(Self.line(of: old).split(separator: " ").dropFirst().first)
            try await createKey("before", installation)
            // One pepper needs no count.
            let simple = try await Program.run(["doctor"], environment: installation.variables)
            #expect(simple.output.contains("Pepper \(oldID) fits the database.\n"))

            let other = "\(installation.folder)/other"
            let made = try await Program.run(["secrets", "new", "--id", "next", other])
            #expect(made.code == 0, "\(made.everything)")
            let new = Self.line(of: try String(contentsOfFile: other, encoding: .utf8))
            try "\(new)\n\(old)".write(toFile: path, atomically: false, encoding: .utf8)
            try await createKey("after", installation)

            let doctor = try await Program.run(["doctor"], environment: installation.variables)
            #expect(doctor.output.contains("Pepper next fits the database. 1 token in 1 database needs it."))
            // The operator key, the admin key and the first service key.
            #expect(doctor.output.contains("Pepper \(oldID) fits the database. 3 tokens in 2 databases need it."))

            // The accident: the database of one workspace is missing, and nothing is known of all others.
            try await installation.serve { program in
                let answer = try await installation.call(
                    "POST",
                    "/v1/organizations/default/workspaces",
                    ["name": "lost"],
                    port: try await program.port()
                )
                #expect(answer.status == 201, "\(answer)")
            }
            let databases = try await installation.texts("SELECT database FROM control.workspaces WHERE slug = 'lost'")
            let lost = try #require(databases.first)
            try await installation.withConnection("postgres") {
                try await $0.script("ALTER DATABASE \"\(lost)\" ALLOW_CONNECTIONS false")
            }
            let rest = try await Program.run(["doctor"], environment: installation.variables)
            #expect(
                rest.output.contains("Pepper next fits the database. 1 token in 1 database needs it."),
                "\(rest.output)"
            )
            let left = "The tokens of each pepper were not counted in 1 database: default/lost."
            #expect(rest.output.contains(left) && rest.output.contains("Remove no pepper"), "\(rest.output)")
        }
    }

    private static func line(of secrets: String) -> String {
        secrets.split(separator: "\n").first { $0.hasPrefix("pepper ") }.map(String.init) ?? ""
    }

    private func createKey(_ name: String, _ installation: ProcessInstallation) async throws {
        try await installation.serve { program in
            let port = try await program.port()
            let answer = try await installation.call(
                "POST",
                "/v1/workspaces/default/service-keys",
                ["name": .string(name)],
                port: port
            )
            #expect(answer.status == 201, "\(answer)")
            // A node that is killed counts as one that knows its own peppers alone, for a minute.
            program.terminate()
            try await program.waitForEnd()
        }
    }
}
