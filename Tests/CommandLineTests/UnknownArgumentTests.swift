import HTTPTestSupport
import TestSupport
import Testing

@Suite(.hangLimit) struct UnknownArgumentTests {
    @Test(arguments: [
        (["kye", "list"], "`mortise key`"), (["key", "lst"], "`mortise key list`"),
        (["workspce", "list"], "`mortise workspace`"),
        (["help", "kye"], "`mortise key`"), (["help", "key", "crate"], "`mortise key create`"),
        (["key", "list", "--operatr"], "--operator"), (["key", "list", "--organisation", "acme"], "--organization"),
        (["key", "list", "--operator", "--jsn"], "--json"), (["serve", "--log-levl", "info"], "--log-level"),
        (["key", "create", "CI", "--workspace", "w", "--show-tokn"], "--show-token"),
        (["verify", "--from", "-", "--scopes", "a:b"], "--scope"),
    ])
    func `a mistyped command or option gets a suggestion`(_ arguments: [String], _ suggestion: String) async throws {
        let outcome = try await Program.run(arguments, environment: ["MORTISE_TOKEN": "t"])
        #expect(outcome.code == 64)
        #expect(outcome.errors.contains("Did you mean \(suggestion)"), "\(outcome.errors)")
    }

    // The fault: a list of values, in which a person looks for the one that was meant.
    @Test(arguments: [
        (["key", "list", "--operator", "--sort", "nam"], "name"),
        (["key", "list", "--operator", "--sort=last_use_at"], "last_used_at"),
        (["member", "add", "a@example.com", "--role", "ownr"], "owner"),
    ])
    func `a mistyped value of an option gets a suggestion`(_ arguments: [String], _ suggestion: String) async throws {
        let outcome = try await Program.run(arguments, environment: ["MORTISE_TOKEN": "t"])
        #expect(outcome.code == 64)
        #expect(outcome.errors.contains("Did you mean \(suggestion)"), "\(outcome.errors)")
        #expect(outcome.errors.contains("The values are "), "\(outcome.errors)")
    }

    @Test(arguments: [
        ["key", "list", "--operator", "--status", "activ"], ["key", "list", "--operator", "--status=activ"],
    ])
    func `a value that the server does not know gets a suggestion`(_ arguments: [String]) async throws {
        let fault = #","errors":[{"parameter":"status","detail":"must be one of \"active\", \"disabled\""}]"#
        try await ScriptedServer.with({ _ in
            Sample.problem(400, "invalid_request", "The request is not valid.", more: fault)
        }) { server in
            let outcome = try await Program.run(arguments, server: server, environment: ["MORTISE_TOKEN": "t"])
            #expect(outcome.code == 1)
            #expect(outcome.errors.contains("Did you mean active?"), "\(outcome.errors)")
        }
    }

    // The fault: "Unknown option" for an option that the command has.
    @Test(arguments: [
        (["--profile", "op", "org", "create", "X"], "`mortise organization create --profile …`"),
        (["--profile=op", "key", "list"], "`mortise key list --profile …`"),
        (["--profile", "key", "workspace", "list"], "`mortise workspace list --profile …`"),
        (["--log-level", "info"], "`mortise COMMAND --log-level …`"),
    ])
    func `an option before the command is told where it belongs`(_ arguments: [String], _ place: String) async throws {
        let outcome = try await Program.run(arguments)
        #expect(outcome.code == 64)
        #expect(
            outcome.errors.contains("belongs after the command") && outcome.errors.contains(place),
            "\(outcome.errors)"
        )
        // The command that follows has no such option.
        let other = try await Program.run(["--data", "/x", "key", "list"])
        #expect(other.code == 64 && !other.errors.contains("belongs"), "\(other.errors)")
        let unknown = try await Program.run(["--profle", "op"])
        #expect(unknown.code == 64 && !unknown.errors.contains("belongs"), "\(unknown.errors)")
    }

    @Test func `a mistyped variable of a client command gets a suggestion`() async throws {
        let outcome = try await Program.run(
            ["whoami", "--url", "http://127.0.0.1:1"],
            environment: ["MORTISE_TOKEN": "t", "MORTISE_PROFIL": "acme"]
        )
        #expect(outcome.code == 3)
        #expect(
            outcome.errors.contains("MORTISE_PROFIL is not a setting")
                && outcome.errors.contains("Did you mean MORTISE_PROFILE?")
        )
    }
}
