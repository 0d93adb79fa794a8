import JSON
import SQLFiles
import Testing

/// What must hold of an installation after any crash, once a server has been started again.
extension ProcessInstallation {
    /// The databases of all workspaces, by what stands on the server.
    func workspaceDatabases() async throws -> Set<String> {
        Set(
            try await texts(
                "SELECT datname::text FROM pg_database WHERE starts_with(datname, 'mortise_w_')",
                in: "postgres"
            )
        )
    }

    /// Checks that no workspace is half made, no database is without its row, and no schema is incomplete.
    func expectWhole(at location: SourceLocation = #_sourceLocation) async throws {
        let unsettled = try await texts(
            "SELECT slug || ' ' || state FROM control.workspaces WHERE state <> 'active' OR target_state IS NOT NULL"
        )
        #expect(unsettled == [], sourceLocation: location)
        let rows = Set(try await texts("SELECT database FROM control.workspaces"))
        let databases = try await workspaceDatabases()
        #expect(rows == databases, "rows and databases differ", sourceLocation: location)
        for database in databases {
            let own = try await texts("SELECT workspace_id || ' ' || state FROM auth.workspace", in: database)
            let wanted = try await texts(
                "SELECT id || ' active' FROM control.workspaces WHERE database = '\(database)'"
            )
            #expect(own == wanted, "\(database)", sourceLocation: location)
            let creations = try await texts(
                "SELECT id::text FROM auth.key_events WHERE type = 'workspace.created'",
                in: database
            )
            #expect(creations.count == 1, "\(database): \(creations)", sourceLocation: location)
        }
        try await expectSchema(of: "mortise", SQLFiles.workspace + SQLFiles.control, location)
        let templates = try await texts(
            "SELECT datistemplate || ' ' || datallowconn FROM pg_database WHERE starts_with(datname, 'mortise_template_')",
            in: "postgres"
        )
        #expect(templates == ["true false"], sourceLocation: location)
    }

    /// Checks that a database has seen every file, each once: the ledger's key does not allow twice.
    func expectSchema(of database: String, _ files: [SQLFile], _ location: SourceLocation) async throws {
        let applied = try await texts("SELECT name FROM mortise.migrations", in: database)
        #expect(Set(applied) == Set(files.map(\.name)), "\(database)", sourceLocation: location)
    }

    /// Checks that `mortise doctor` finds nothing wrong.
    func expectHealthy(at location: SourceLocation = #_sourceLocation) async throws {
        let outcome = try await Program.run(["doctor", "--json"], environment: variables)
        let findings = try #require(
            try JSONValue(parsing: Array(outcome.output.utf8)).array,
            "\(outcome.everything)",
            sourceLocation: location
        )
        // A cluster for tests does not wait for the disk, and the doctor is right to say so.
        let complaints = findings.filter {
            $0["level"] != "ok" && $0["sentence"]?.string?.hasPrefix("fsync or full_page_writes") != true
        }
        #expect(complaints == [], sourceLocation: location)
        #expect(findings.contains { $0["sentence"]?.string?.contains("schema") == true }, sourceLocation: location)
    }
}
