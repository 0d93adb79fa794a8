import TestSupport
import Testing
import mortise

@Suite(.hangLimit) struct HelpTests {
    static let commands = [
        "serve", "migrate", "doctor", "health", "backup", "restore", "release", "cluster add", "cluster list",
        "cluster update",
        "cluster remove", "secrets new", "verify", "organization create",
        "organization list",
        "organization get", "organization update", "workspace create", "workspace list", "workspace get",
        "workspace update",
        "workspace suspend", "workspace resume", "workspace archive", "workspace restore", "workspace delete",
        "workspace events",
        "member list", "member add", "member change", "member remove",
        "login", "logout", "whoami", "profile list", "profile use", "session list", "session end", "password",
        "organization delete", "organization events", "member sessions", "member sign-out", "member unbind",
        "session-issuer list", "session-issuer add", "session-issuer remove",
        "webhook list", "webhook get", "webhook create", "webhook update", "webhook enable", "webhook disable",
        "webhook rotate-secret", "webhook test", "webhook deliveries", "webhook retry", "webhook delete",
        "key create", "key list", "key get", "key update", "key disable", "key enable", "key deprecate", "key rotate",
        "key revoke", "key retire", "key delete", "key events", "key generate", "key recover",
    ]

    @Test(arguments: commands)
    func `the help of every command has requirements, examples and exit codes, and fits 80 columns`(_ command: String)
        async throws
    {
        let words = command.split(separator: " ").map(String.init)
        let outcome = try await Program.run(words + ["--help"])
        #expect(outcome.code == 0)
        for heading in [
            "OVERVIEW: ", "NEEDS: ", "EXAMPLES:\n  mortise \(command)", "EXIT CODES: 0 ", "USAGE: mortise \(command)",
        ] {
            #expect(outcome.output.contains(heading), "\(heading)")
        }
        let long = outcome.output.split(separator: "\n").filter { $0.count > 80 && !$0.hasPrefix("USAGE: ") }
        #expect(long == [])
    }

    @Test func `the help of serve names every setting`() async throws {
        let help = try await Program.run(["serve", "--help"]).output
        for name in [
            "DATABASE_URL", "DATA", "LISTEN", "PEPPER_FILE", "OPERATOR_KEY", "ADMIN_KEY", "ADMIN_EMAIL",
            "ADMIN_PASSWORD", "LOG_LEVEL", "LOG_FORMAT",
            "ACCESS_LOG", "POSTGRES_BIN", "THREADS", "LOOKUP_WORKSPACES", "MANAGED_WORKSPACES",
            "KEYS_PER_WORKSPACE", "KEYS_PER_SUBJECT", "ADMIN_KEYS_PER_ORGANIZATION", "WORKSPACES_PER_ORGANIZATION",
            "LIST_BYTES", "EVENT_DAYS",
            "DRAIN_DELAY", "SHUTDOWN_GRACE",
        ] {
            #expect(help.contains("MORTISE_\(name)"))
        }
        for flag in ["--database-url ", "--operator-key ", "--admin-key ", "--admin-password "] {
            #expect(!help.contains(flag))
        }
    }

    @Test func `a long example is split into lines that a shell joins`() {
        let line = "  mortise x " + (1...9).map { "--option-\($0) value" }.joined(separator: " ")
        let broken = HelpText.broken(line)
        #expect(broken.split(separator: "\n").count > 1)
        #expect(broken.split(separator: "\n").allSatisfy { $0.count <= 78 })
        #expect(broken.replacing(" \\\n     ", with: "") == line)
    }
}
