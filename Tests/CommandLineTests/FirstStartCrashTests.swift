import JSON
import Postgres
import TestSupport
import Testing

/// The first keys are shown once.
///
/// A crash at the wrong moment must not lock everybody out.
@Suite(.hangLimit) struct FirstStartCrashTests {
    /// A trigger that makes the commit of the first keys wait for the advisory lock 4711.
    private static let gate = """
        CREATE FUNCTION control.wait_at_the_gate() RETURNS trigger LANGUAGE plpgsql SET lock_timeout = 0 AS
            'BEGIN PERFORM pg_advisory_xact_lock(4711); RETURN NULL; END';
        CREATE CONSTRAINT TRIGGER gate AFTER INSERT ON control.seeds DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION control.wait_at_the_gate();
        """
    private static let atTheGate =
        "SELECT pid FROM pg_stat_activity WHERE query LIKE 'COMMIT%' AND wait_event = 'advisory'"

    /// The accident: the process is killed after it showed the keys and before it knows that they are committed.
    ///
    /// PostgreSQL notices the end of a client late, so the commit may succeed or fail.
    @Test(arguments: [true, false])
    func `working first keys have been shown, even if the first start is killed`(_ isCommitted: Bool) async throws {
        try await ProcessInstallation.with { installation in
            let migration = try await Program.run(["migrate"], environment: installation.variables)
            try #require(migration.code == 0, "\(migration.everything)")
            let shown = try await installation.withConnection { holder in
                try await holder.script(Self.gate)
                try await holder.script("SELECT pg_advisory_lock(4711)")
                let shown = try await Self.start(installation) { program in
                    try await eventually("the commit waits") {
                        if program.hasEnded { throw RunningProgram.Ended(log: program.log) }
                        return try await installation.finds(Self.atTheGate)
                    }
                    program.kill()
                    return program.output
                }
                if !isCommitted {
                    try await holder.script("SELECT pg_terminate_backend(pid) FROM (\(Self.atTheGate)) waiting")
                    try await eventually("its session is gone") { try await !installation.finds(Self.atTheGate) }
                }
                try await holder.script("SELECT pg_advisory_unlock(4711)")
                return shown
            }
            let first = try Self.tokens(in: shown)
            try await eventually("its session is gone") { try await !installation.finds(Self.atTheGate) }
            try await Self.start(installation) { program in
                let port = try await program.port()
                let tokens = isCommitted ? first : try Self.tokens(in: program.output)
                if isCommitted { #expect(program.output == "") }
                for token in tokens {
                    #expect(
                        try await installation.call("GET", "/v1/workspaces", port: port, token: token).status == 200
                    )
                }
                guard !isCommitted else { return }
                for token in first {
                    #expect(
                        try await installation.call("GET", "/v1/workspaces", port: port, token: token).status == 401
                    )
                }
            }
        }
    }

    @Test func `a first start that cannot show its keys creates none`() async throws {
        try await ProcessInstallation.with { installation in
            let failed = try await RunningProgram.with(
                ["serve"],
                installation.serveVariables(isPreset: false),
                in: installation.folder,
                output: RunningProgram.fullDevice
            ) { program in
                try await program.waitForEnd()
                return program.log
            }
            #expect(failed.code == 74, "\(failed.value)")
            #expect(failed.value.contains("The output could not be written"))
            #expect(try await installation.texts("SELECT name FROM control.seeds") == [])
            #expect(try await installation.texts("SELECT id::text FROM auth.service_keys") == [])
            try await Self.start(installation) { program in
                let port = try await program.port()
                for token in try Self.tokens(in: program.output) {
                    #expect(
                        try await installation.call("GET", "/v1/workspaces", port: port, token: token).status == 200
                    )
                }
                // The keys appear on standard output only.
                for token in try Self.tokens(in: program.output) { #expect(!program.log.contains(token)) }
            }
        }
    }

    @discardableResult
    private static func start<Value: Sendable>(
        _ installation: ProcessInstallation,
        _ body: (RunningProgram) async throws -> Value
    ) async throws -> Value {
        let variables = installation.serveVariables(isPreset: false)
        return try await RunningProgram.with(["serve"], variables, in: installation.folder, body).value
    }

    /// Returns the operator key and the admin key that a first start has shown.
    private static func tokens(in output: String) throws -> [String] {
        let words = output.split { $0 == " " || $0 == "\n" }.map(String.init)
        return try ["mko_live_", "mka_live_"]
            .map { prefix in
                try #require(words.first { $0.hasPrefix(prefix) }, "no \(prefix)… in: \(output)")
            }
    }
}
