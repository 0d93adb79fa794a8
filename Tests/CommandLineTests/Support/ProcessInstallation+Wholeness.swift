import JSON
import SQLFiles
import Testing

/// The conditions that every installation meets after a crash and a restart.
extension ProcessInstallation {
    /// Returns the workspace databases that exist on the PostgreSQL server.
    func workspaceDatabases() async throws -> Set<String> {
        Set(
            try await texts(
                "SELECT datname::text FROM pg_database WHERE starts_with(datname, 'mortise_w_')",
                in: "postgres"
            )
        )
    }

    /// Checks that every workspace is complete, every database has a row, and every schema is complete.
    func expectWhole(at location: SourceLocation = #_sourceLocation) async throws {
        let unfinished = try await texts(
            "SELECT slug || ' ' || state FROM control.workspaces WHERE state <> 'active' OR target_state IS NOT NULL"
        )
        #expect(unfinished == [], sourceLocation: location)
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
        try await expectSchema(of: "mortise_cluster", SQLFiles.cluster, location)
        let templates = try await texts(
            "SELECT datistemplate || ' ' || datallowconn FROM pg_database WHERE starts_with(datname, 'mortise_template_')",
            in: "postgres"
        )
        #expect(templates == ["true false"], sourceLocation: location)
    }

    /// Checks that a database has every migration.
    ///
    /// The primary key of the ledger prevents duplicates.
    func expectSchema(of database: String, _ files: [SQLFile], _ location: SourceLocation) async throws {
        let applied = try await texts("SELECT name FROM mortise.migrations", in: database)
        #expect(Set(applied) == Set(files.map(\.name)), "\(database)", sourceLocation: location)
    }

    /// Checks that `mortise doctor` finds no problem.
    func expectHealthy(at location: SourceLocation = #_sourceLocation) async throws {
        let outcome = try await Program.run(["doctor", "--json"], environment: variables)
        let findings = try #require(
            try JSONValue(parsing: Array(outcome.output.utf8)).array,
            "\(outcome.everything)",
            sourceLocation: location
        )
        // The PostgreSQL of a test runs without fsync, and the doctor reports that.
        let complaints = findings.filter {
            $0["level"] != "ok" && $0["sentence"]?.string?.hasPrefix("fsync or full_page_writes") != true
        }
        #expect(complaints == [], sourceLocation: location)
        #expect(findings.contains { $0["sentence"]?.string?.contains("schema") == true }, sourceLocation: location)
    }
}
