import JSON
import Postgres
import TestSupport
import Testing

/// The database URL, and what `mortise doctor` says about the PostgreSQL server behind it.
@Suite(.hangLimit) struct DatabaseURLTests {
    private func variables(
        _ installation: ProcessInstallation,
        _ change: (String) -> String
    ) -> [String: String] {
        var variables = installation.variables
        variables["MORTISE_DATABASE_URL"] = variables["MORTISE_DATABASE_URL"].map(change)
        return variables
    }

    // A file that is mounted as a secret ends with a line feed, which libpq takes for a part of the last value.
    @Test func `a URL without a database means mortise, and a line end behind it does not count`() async throws {
        try await ProcessInstallation.with { installation in
            let changed = variables(installation) { $0.replacing(" dbname='mortise'", with: "\n") }
            let outcome = try await Program.run(["migrate"], environment: changed)
            #expect(outcome.code == 0, "\(outcome.everything)")
            #expect(try await installation.finds("SELECT 1 FROM control.clusters"))
        }
    }

    @Test func `a line end inside the URL is refused with a sentence`() async throws {
        try await ProcessInstallation.with { installation in
            let changed = variables(installation) { $0.replacing("'mortise'", with: "'mor\ntise'") }
            let outcome = try await Program.run(["migrate"], environment: changed)
            #expect(outcome.code == 64)
            #expect(outcome.errors.contains("line end"))
            #expect(outcome.errors.contains("dbname"))
        }
    }

    // The fault: libpq takes a session that is read-only by default, such as one for look-ups, for one to a standby.
    @Test func `a server runs with target_session_attrs in libpq's environment`() async throws {
        try await ProcessInstallation.with { installation in
            let variables = installation.serveVariables().merging(["PGTARGETSESSIONATTRS": "read-write"]) { $1 }
            _ = try await RunningProgram.with(["serve"], variables, in: installation.folder) { program in
                let port = try await program.port()
                let made = try await installation.call(
                    "POST",
                    "/v1/workspaces/default/service-keys",
                    ["name": "k"],
                    port: port
                )
                let token = try #require(made.body["token"]?.string, "\(made)")
                #expect(try await installation.verdict(token, port: port) == "valid")
            }
        }
    }

    @Test func `a server that accepts no changes is named as the reason`() async throws {
        try await ProcessInstallation.with { installation in
            try await installation.withConnection("postgres") { connection in
                try await connection.script("CREATE DATABASE mortise")
                try await connection.script("ALTER SYSTEM SET default_transaction_read_only = on")
                try await connection.script("SELECT pg_reload_conf()")
            }
            try await eventually("the server is read-only") {
                try await installation.texts("SHOW default_transaction_read_only") == ["on"]
            }
            let outcome = try await Program.run(["migrate"], environment: installation.variables)
            #expect(outcome.code == 1)
            #expect(outcome.errors.contains("PostgreSQL accepts no changes"), "\(outcome.everything)")
        }
    }

    @Test func `doctor names what weakens a commit, and settings of the role of the service`() async throws {
        try await ProcessInstallation.with { installation in
            try await installation.serve { _ = try await $0.port() }
            let healthy = try await Program.run(["doctor"], environment: installation.variables)
            #expect(healthy.output.contains("The role mortise_runtime can connect."))
            for word in ["synchronous", "standby", "settings of its own"] { #expect(!healthy.output.contains(word)) }
            try await installation.withConnection { connection in
                try await connection.script("ALTER ROLE mortise_runtime SET work_mem = '1MB'")
                try await connection.script("ALTER SYSTEM SET synchronous_commit = 'remote_write'")
                try await connection.script("ALTER SYSTEM SET synchronous_standby_names = 'ghost'")
                try await connection.script("SELECT pg_reload_conf()")
            }
            try await eventually("the server has read its settings") {
                try await installation.texts("SHOW synchronous_standby_names") == ["ghost"]
            }
            let outcome = try await Program.run(["doctor"], environment: installation.variables)
            #expect(outcome.code == 1)
            #expect(outcome.output.contains("synchronous_commit is remote_write"))
            #expect(outcome.output.contains("no such standby follows"))
            #expect(outcome.output.contains("work_mem=1MB"))
        }
    }
}
